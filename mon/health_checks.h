// SPDX-License-Identifier: LGPL-2.1-or-later
// What is wrong with the cluster, as health checks in Ceph's codes and words. Pure: maps, reports
// and options in, checks out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/map/pg_stats.h"

namespace plimsoll::mon {

enum class Severity : uint8_t { kOk, kWarn, kErr };
/// "HEALTH_OK"
const char* severity_name(Severity s);

struct HealthCheck {
  Severity severity = Severity::kWarn;
  std::string summary;
  int64_t count = 0;
  std::vector<std::string> details;
  bool operator==(const HealthCheck&) const = default;
};
/// By code ("OSD_DOWN"), in the order in which Ceph prints them.
using HealthChecks = std::map<std::string, HealthCheck>;

struct HealthOptions {
  uint64_t pool_default_size = 3;
  bool warn_on_pool_no_redundancy = true;
  bool warn_on_pool_no_app = true;
  int64_t down_out_interval = 600;
  bool warn_on_down_out_interval_zero = true;
  int64_t stuck_threshold = 60;
  double failsafe_full_ratio = 0.97;
  uint64_t max_pg_per_osd = 250;
  size_t max_detail = 50;
};

struct HealthInput {
  const map::OSDMap& osds;
  const map::PgMap& pgs;
  const HealthOptions& options;
  Utime now;
  std::string mon_name;
  /// Of full OSDs, in their words.
  std::map<OsdId, std::string> full_reasons;
};

HealthChecks compute_health(const HealthInput& in);

/// Objects degraded, misplaced and unfound over all PGs: what `status` shows too.
struct RecoveryCounts {
  int64_t copies = 0, degraded = 0, misplaced = 0, objects = 0, unfound = 0;
};
RecoveryCounts recovery_counts(const map::ObjectStats& sum);
/// "12/36 objects degraded (33.333%)"; empty for none.
std::string ratio_text(int64_t part, int64_t whole, const char* what);

}  // namespace plimsoll::mon
