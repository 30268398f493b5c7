// SPDX-License-Identifier: LGPL-2.1-or-later
// A CRUSH rule as constraints: which device may stand at which position of a PG beside which
// others. Positions fall into a tree: `choose 2 rack, chooseleaf 2 host` makes four of them, two
// in each of two racks. Positions that share a branch share its bucket, those that do not have
// different ones. Besides, what monitors check before they keep an upmap entry holds too (they
// compare leaves' domains across all takes of a rule).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "common/map/crush_map.h"
#include "common/wire/types.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

/// For each bucket type in use: the device's ancestor of that type, 0 for none. Built once.
class Domains {
 public:
  Domains(const map::CrushMap& crush, int32_t max_osd);
  /// `root` (shadow or not): ancestors below that root; those of a shadow tree map to the real
  /// ones.
  map::CrushItem ancestor(OsdId osd, int type) const;

 private:
  std::map<int, std::vector<map::CrushItem>> by_type_;
};

class Rule {
 public:
  /// `size` of the pool. Never fails: a rule that is not understood says so in refusal().
  Rule(const map::CrushMap& crush, const Domains& domains, int rule_id, uint32_t size,
       bool erasure);

  /// Why no PG of this rule can be moved; none where they can.
  std::optional<Block> refusal() const { return refusal_; }
  /// The root that the position is taken from: devices with weight below it are candidates.
  map::CrushItem root_of(uint32_t position) const;
  /// Devices below any of its roots with positive CRUSH weight, ascending.
  const std::vector<OsdId>& devices(map::CrushItem root) const;
  /// Does this up set follow the rule? Holes are a violation.
  bool holds(std::span<const OsdId> up) const;
  /// May `to` replace what stands at `position` in an up set that follows the rule? None: yes.
  std::optional<Block> refuses(std::span<const OsdId> up, uint32_t position, OsdId to) const;

 private:
  struct Level {
    int type = 0;
    uint32_t count = 0;
  };
  struct Take {
    map::CrushItem root = 0;
    std::vector<Level> levels;
    bool leaf_unique_everywhere = false;  ///< chooseleaf: monitors compare it across takes
    uint32_t first = 0, count = 0;        ///< positions
  };
  const Domains& domains_;
  std::vector<Take> takes_;
  std::map<map::CrushItem, std::vector<OsdId>> devices_;
  std::optional<Block> refusal_;
  bool erasure_ = false;
};

/// The pg_upmap_items entry that makes `up` of `raw`, in an order that takes effect; nullopt where
/// pairs cannot say it (shards of an erasure-coded PG that change places). In replicated pools
/// the order of members is free.
std::optional<map::UpmapItems> upmap_items(std::span<const OsdId> raw, std::span<const OsdId> up,
                                           bool erasure);

}  // namespace plimsoll::mover
