// SPDX-License-Identifier: LGPL-2.1-or-later
// RuleJudge: does an up set follow a CRUSH rule, judged by the buckets that its members stand in.
// Written for the checker alone: the planner has a judge of its own (plan/rule.h), and the two must
// agree.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "mover/check/below.h"

namespace plimsoll::mover {

/// The rule that a pool of this kind and size uses, -1 for none.
int rule_of(const map::CrushMap& crush, const map::PgPool& pool);

class RuleJudge {
 public:
  RuleJudge(const map::CrushMap& crush, const map::PgPool& pool);

  /// Why the rule cannot be judged: empty where it can.
  const std::string& not_understood() const { return not_understood_; }
  /// What is wrong with an up set, in words; none where it follows the rule. Members of
  /// erasure-coded PGs are judged by their place, those of replicated ones in any order.
  std::optional<std::string> violation(std::span<const OsdId> up) const;
  /// Roots that the rule takes devices from.
  std::vector<const Below*> roots() const;

 private:
  /// `choose` or `chooseleaf`: `count` different buckets (0: devices) of a type in each branch.
  struct Level {
    int type = 0;
    size_t count = 0;
  };
  /// What one `take ... emit` gives: `count` positions from `first` on.
  struct Block {
    Below below;
    std::vector<Level> levels;
    size_t first = 0, count = 0;
  };
  void compile(const map::CrushRule& rule);
  std::optional<std::string> in_place(std::span<const OsdId> up) const;
  std::optional<std::string> pair_violation(const Block& block, size_t a, size_t b, OsdId osd_a,
                                            OsdId osd_b) const;
  std::vector<OsdId> arranged(std::span<const OsdId> up) const;

  const map::CrushMap& crush_;
  const bool erasure_;
  const size_t size_;
  std::vector<Block> blocks_;
  std::string not_understood_;
};

}  // namespace plimsoll::mover
