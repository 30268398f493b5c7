// SPDX-License-Identifier: LGPL-2.1-or-later
// Quotas of pools: a pool that holds as much as it may is full until it holds less, or may hold
// more. Looked at with every report of an OSD.
#pragma once

#include "mon/log_service.h"
#include "mon/osd_service.h"
#include "mon/stats_service.h"

namespace plimsoll::mon {

class Quotas {
 public:
  Quotas(OsdService& osd, const StatsService& stats, LogService& log)
      : osd_(osd), stats_(stats), log_(log) {}
  /// Sets and clears full_quota where the last reports and the quotas ask for it.
  Task<void> check();

 private:
  struct Verdict {
    PoolId pool;
    bool full;
    std::string why;  ///< for the cluster log
  };
  std::vector<Verdict> changes() const;

  OsdService& osd_;
  const StatsService& stats_;
  LogService& log_;
  bool checking_ = false;
};

}  // namespace plimsoll::mon
