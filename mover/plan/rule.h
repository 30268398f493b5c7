// SPDX-License-Identifier: LGPL-2.1-or-later
// A CRUSH rule as constraints: which device may stand at which position of a PG beside which
// others. Positions fall into a tree: `choose 2 rack, chooseleaf 2 host` makes four of them, two
// in each of two racks. Positions that share a branch share its bucket, those that do not have
// different ones. Besides, what monitors check before they keep an upmap entry holds too: they
// compare each step with the whole PG, across all takes of a rule (plan/monitor_check.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/map/crush_map.h"
#include "common/wire/types.h"
#include "mover/plan/monitor_check.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

/// For each bucket type in use: the device's ancestor of that type, 0 for none. Real buckets, never
/// shadows. Built once.
class Domains {
 public:
  Domains(const map::CrushMap& crush, int32_t max_osd);
  map::CrushItem ancestor(OsdId osd, int type) const;
  /// By OSD id; null for a type that no bucket has.
  const std::vector<map::CrushItem>* ancestors(int type) const;

 private:
  std::map<int, std::vector<map::CrushItem>> by_type_;
};

/// Devices of a root, or those of them below one real bucket.
struct Scope {
  map::CrushItem root = 0;
  int type = 0;  ///< of `bucket`; 0: the whole root
  map::CrushItem bucket = 0;
  auto operator<=>(const Scope&) const = default;
};

class Rule {
 public:
  /// `size` of the pool. Never fails: a rule that is not understood says so in refusal().
  /// `domains` outlives it.
  Rule(const map::CrushMap& crush, const Domains& domains, int rule_id, uint32_t size);
  Rule(const Rule&) = delete;
  Rule& operator=(const Rule&) = delete;

  /// Why no PG of this rule can be moved; none where they can.
  std::optional<Block> refusal() const { return refusal_; }
  /// The root that the position is taken from: devices with weight below it are candidates.
  map::CrushItem root_of(uint32_t position) const { return take_of(position).root; }
  std::vector<map::CrushItem> roots() const;
  /// Devices below one of its roots with positive CRUSH weight, ascending.
  const std::vector<OsdId>& devices(map::CrushItem root) const { return roots_.at(root).devices; }
  bool is_below(map::CrushItem root, OsdId osd) const;
  /// Does this up set follow the rule? Holes are a violation.
  bool holds(std::span<const OsdId> up) const;
  /// May `to` replace what stands at `position` in an up set that follows the rule? None: yes.
  std::optional<Block> refuses(std::span<const OsdId> up, uint32_t position, OsdId to) const;
  /// Where to look for devices that refuses() may let stand at `position`: one or few parts of the
  /// position's root outside of which all are refused.
  void scopes(std::span<const OsdId> up, uint32_t position, std::vector<Scope>& out) const;
  /// The type of bucket that no two shards share; 0 where only devices differ.
  int failure_domain() const;

 private:
  struct Root {
    std::vector<OsdId> devices;
    std::vector<bool> below;  ///< by OSD id
  };
  struct Level {
    int type = 0;
    uint32_t count = 0;
    uint32_t below = 1;  ///< positions in one of its buckets
    const std::vector<map::CrushItem>* ancestors = nullptr;
    /// Buckets of this level with devices, by the bucket of the level above (0: the root).
    std::map<map::CrushItem, std::vector<map::CrushItem>> children;
  };
  struct Take {
    map::CrushItem root = 0;
    std::vector<Level> levels;
    uint32_t first = 0, count = 0;  ///< positions
  };

  bool parse(const map::CrushMap& crush, const map::CrushRule& rule, uint32_t size);
  bool parse_step(const map::CrushStep& step, uint32_t size, Take& take) const;
  void add_root(const map::CrushMap& crush, map::CrushItem root);
  void find_children(Take& take);
  std::optional<Block> never_accepted() const;
  size_t fewest_buckets(const Take& take, const MonitorCheck::Step& step) const;
  const Take& take_of(uint32_t position) const;
  /// As refuses(), by the tree of positions alone.
  std::optional<Block> conflict(std::span<const OsdId> up, uint32_t position, OsdId to) const;

  const Domains& domains_;
  std::vector<Take> takes_;
  std::map<map::CrushItem, Root> roots_;
  MonitorCheck monitor_;
  std::optional<Block> refusal_;
};

/// The rules of a state's pools. The state outlives it.
class Rules {
 public:
  explicit Rules(const State& state);
  const Rule& of(PoolId pool) const { return *by_pool_.at(pool); }
  const Domains& domains() const { return domains_; }

 private:
  Domains domains_;
  std::map<std::pair<int, uint32_t>, std::unique_ptr<Rule>> rules_;  ///< by id and size
  std::map<PoolId, const Rule*> by_pool_;
};

}  // namespace plimsoll::mover
