// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/heartbeat.h"

namespace plimsoll::osd {

std::set<OsdId> heartbeat_neighbors(const map::OSDMap& map, OsdId self,
                                    const NeighborRules& rules) {
  std::set<OsdId> out;
  std::set<std::string> seen{map.crush->subtree_of(self, rules.subtree_type)};
  const size_t wanted = 1 + rules.subtrees;
  for (OsdId step = 1; step < map.max_osd; step++) {
    const OsdId osd = (self + step) % map.max_osd;
    if (out.size() >= rules.least && seen.size() >= wanted) break;
    if (!map.is_up(osd)) continue;
    const bool elsewhere =
        seen.size() < wanted && seen.insert(map.crush->subtree_of(osd, rules.subtree_type)).second;
    if (elsewhere || out.size() < rules.least) out.insert(osd);
  }
  return out;
}

bool FlappingGuard::called_down(TimePoint now, size_t most, Duration period) {
  times_.push_back(now);
  while (now - times_.front() > period) times_.pop_front();
  return times_.size() > most;
}

}  // namespace plimsoll::osd
