// SPDX-License-Identifier: LGPL-2.1-or-later
// May these OSDs be stopped, or destroyed? What `osd ok-to-stop` and `osd safe-to-destroy` answer,
// from the newest reports of all PGs.
#pragma once

#include <boost/json/object.hpp>
#include <set>
#include <string>
#include <vector>

#include "mon/services.h"

namespace plimsoll::mon {

struct DestroySafety {
  std::set<OsdId> safe, active, missing_stats, stored_pgs;
  int64_t num_pgs = 0;  ///< mapped to the active ones
  bool unknown_pgs = false;

  bool all_safe() const {
    return active.empty() && missing_stats.empty() && stored_pgs.empty() && !unknown_pgs;
  }
  /// Why not, one sentence each.
  std::string text() const;
  boost::json::object dump() const;
};
DestroySafety destroy_safety(const Services& s, const std::set<OsdId>& osds);

struct StopSafety {
  std::set<OsdId> osds;
  std::vector<PgId> not_ok;       ///< inactive already or then
  std::vector<PgId> degraded;     ///< active with fewer copies than before
  std::vector<PgId> inactive;     ///< would drop below min_size
  std::vector<PgId> already_bad;  ///< not active now
  int64_t num_ok = 0;
  bool ok() const { return not_ok.empty(); }
  boost::json::object dump() const;
};
StopSafety stop_safety(const Services& s, const std::set<OsdId>& osds);

}  // namespace plimsoll::mon
