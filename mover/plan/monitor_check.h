// SPDX-License-Identifier: LGPL-2.1-or-later
// What monitors of release 16 to 19 check before they keep an upmap entry, where that is more than
// the rule says: each step of the rule is compared with the whole PG. A `choose` of n buckets wants
// no more than n of its type in all takes and branches together, a `chooseleaf` no two devices
// below one bucket of its type. Buckets are those below the rule's takes: host~ssd and host~hdd
// count as two. So hybrid and three-level rules can refuse every entry.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/map/crush_map.h"
#include "common/wire/types.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

class MonitorCheck {
 public:
  struct Step {
    int type = 0;
    uint32_t count = 0;
    bool leaf = false;
    /// By OSD id: its bucket of the type below the rule's takes, 0 for none.
    std::vector<map::CrushItem> parents;
  };

  MonitorCheck() = default;
  MonitorCheck(const map::CrushMap& crush, const map::CrushRule& rule, uint32_t size,
               int32_t max_osd);
  const std::vector<Step>& steps() const { return steps_; }
  /// Is the PG dropped with `to` in place of what stands at `position`?
  std::optional<Block> drops(std::span<const OsdId> up, uint32_t position, OsdId to) const;

 private:
  std::vector<Step> steps_;
};

/// The number that a step asks for: what is not positive is counted from the pool's size.
uint32_t step_count(const map::CrushStep& step, uint32_t size);

}  // namespace plimsoll::mover
