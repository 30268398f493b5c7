// SPDX-License-Identifier: LGPL-2.1-or-later
// Heartbeat: what failure detection decides, apart from the wires. Pure.
//
// An OSD pings whom it shares PGs with, and a few neighbours besides, so that one that hangs is
// noticed even where it serves nothing, and by OSDs of more than one subtree. One that is called
// down again and again although it lives does more harm by coming back than by staying away.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "common/map/osd_map.h"
#include "common/rt/task.h"

namespace plimsoll::osd {

struct NeighborRules {
  size_t least = 0;          ///< neighbours in all
  size_t subtrees = 0;       ///< other subtrees that one is taken from
  std::string subtree_type;  ///< CRUSH type, such as "host"
};
/// OSDs that are up: the next ones by number, around the end.
std::set<OsdId> heartbeat_neighbors(const map::OSDMap& map, OsdId self, const NeighborRules& rules);

/// Counts how often this OSD was called down while it was alive.
class FlappingGuard {
 public:
  /// True where it is called down more than `most` times within `period`.
  bool called_down(TimePoint now, size_t most, Duration period);

 private:
  std::deque<TimePoint> times_;
};

}  // namespace plimsoll::osd
