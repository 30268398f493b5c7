// SPDX-License-Identifier: LGPL-2.1-or-later
// Dump: what was gathered of a cluster, decoded but not yet interpreted: its map (as our own
// OSDMap, so that our mapper and our encoder work on it) and the reports of PGs and OSDs. Made from
// JSON that `ceph` prints (releases 16 to 19): unknown keys are skipped, missing ones mean that
// the feature is absent (read: dump_reader.h). See doc/formats/mover_dump.md.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::mover {

struct PgReport {
  PgId pgid;
  uint64_t state = 0;      ///< map::PgState bits
  uint64_t num_bytes = 0;  ///< logical, once, not per copy
  uint64_t num_objects = 0;
  uint64_t num_omap_bytes = 0;
  bool has_sizes = false;     ///< a report may be brief: state and members alone
  uint32_t first_acting = 0;  ///< in Dump::acting
  uint32_t num_acting = 0;
};

struct OsdReport {
  uint64_t size = 0;
  uint64_t used = 0;  ///< raw, as fullness is judged
  uint64_t used_data = 0, used_omap = 0, used_meta = 0;
  uint64_t min_alloc_size = 0;  ///< 0: not known
  bool reported = false;
  /// Bytes that each PG's replica has allocated here, without its keys, as `used` is; where the OSD
  /// says so (ours do).
  std::vector<std::pair<PgId, uint64_t>> pg_allocated;
};

struct Dump {
  map::OSDMap map;
  std::string release;        ///< as `ceph version` prints it; "" when not known
  std::vector<PgReport> pgs;  ///< ascending, one per PG that reported
  std::vector<OsdId> acting;
  std::map<OsdId, OsdReport> osds;
  std::set<OsdId> cordoned;                  ///< config-key mover/cordon
  std::map<PoolId, int64_t> growth_per_day;  ///< logical bytes, by option or history
  bool balancer_active = false;              ///< the manager's balancer moves PGs by upmap too
  std::vector<std::string> warnings;         ///< what was missing or odd, for people
};

}  // namespace plimsoll::mover
