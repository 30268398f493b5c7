// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/rule_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace plimsoll::mover {

using map::CrushItem;
using map::CrushOp;

int rule_of(const map::CrushMap& crush, const map::PgPool& pool) {
  for (size_t id = 0; id < crush.rules.size(); id++) {
    const auto& rule = crush.rules[id];
    if (!rule || rule->ruleset != pool.crush_rule || rule->type != pool.type) continue;
    if (pool.size >= rule->min_size && pool.size <= rule->max_size) return static_cast<int>(id);
  }
  return -1;
}

RuleJudge::RuleJudge(const map::CrushMap& crush, const map::PgPool& pool)
    : crush_(crush), erasure_(pool.is_erasure()), size_(pool.size) {
  const map::CrushRule* rule = crush.rule(rule_of(crush, pool));
  if (rule)
    compile(*rule);
  else
    not_understood_ = fmt::format("no rule {} for pools of size {}", pool.crush_rule, pool.size);
}

void RuleJudge::compile(const map::CrushRule& rule) {
  std::optional<CrushItem> taken;
  std::vector<Level> levels;
  bool at_devices = false;
  size_t placed = 0;
  for (const map::CrushStep& step : rule.steps) {
    switch (step.op) {
      case CrushOp::kNoop:
      case CrushOp::kSetChooseTries:
      case CrushOp::kSetChooseleafTries:
      case CrushOp::kSetChooseLocalTries:
      case CrushOp::kSetChooseLocalFallbackTries:
      case CrushOp::kSetChooseleafVaryR:
      case CrushOp::kSetChooseleafStable:
        break;
      case CrushOp::kTake:
        if (!crush_.bucket(step.arg1)) not_understood_ = "a rule that takes no bucket";
        taken = step.arg1;
        levels.clear();
        at_devices = false;
        break;
      case CrushOp::kChooseFirstn:
      case CrushOp::kChooseIndep:
      case CrushOp::kChooseleafFirstn:
      case CrushOp::kChooseleafIndep: {
        const int count = step.arg1 > 0 ? step.arg1 : step.arg1 + static_cast<int>(size_);
        if (!taken || at_devices) not_understood_ = "a choose step that starts from nothing";
        if (count <= 0) break;  // the step gives nothing
        levels.push_back({step.arg2, static_cast<size_t>(count)});
        at_devices = step.arg2 == 0 || step.op == CrushOp::kChooseleafFirstn ||
                     step.op == CrushOp::kChooseleafIndep;
        break;
      }
      case CrushOp::kEmit: {
        if (levels.empty()) break;
        if (!at_devices) not_understood_ = "a rule that ends above devices";
        if (!not_understood_.empty()) return;
        size_t count = 1;
        for (const Level& level : levels) count = std::min(count * level.count, size_ - placed);
        blocks_.push_back({Below(crush_, *taken), levels, placed, count});
        placed += count;
        levels.clear();
        at_devices = false;
        break;
      }
      default:
        not_understood_ = fmt::format("a step of kind {}", static_cast<uint32_t>(step.op));
    }
  }
  if (placed < size_ && not_understood_.empty())
    not_understood_ = fmt::format("a rule for {} members, of {}", placed, size_);
}

std::vector<const Below*> RuleJudge::roots() const {
  std::vector<const Below*> out;
  for (const Block& block : blocks_) out.push_back(&block.below);
  return out;
}

std::optional<std::string> RuleJudge::pair_violation(const Block& block, size_t a, size_t b,
                                                     OsdId osd_a, OsdId osd_b) const {
  // Positions of the same branch are next to each other: so many per branch of a level.
  size_t per_branch = 1;
  for (auto level = block.levels.rbegin(); level != block.levels.rend(); ++level) {
    if (level->type != 0) {
      const CrushItem in_a = block.below.ancestor(osd_a, level->type);
      const CrushItem in_b = block.below.ancestor(osd_b, level->type);
      const bool want_same = a / per_branch == b / per_branch;
      if (in_a == in_b && !want_same)
        return fmt::format("osd.{} and osd.{} are both in {} {}", osd_a, osd_b,
                           crush_.type_name(level->type), crush_.item_name(in_a));
      if (in_a != in_b && want_same)
        return fmt::format("osd.{} and osd.{} are in different {}s, {} and {}", osd_a, osd_b,
                           crush_.type_name(level->type), crush_.item_name(in_a),
                           crush_.item_name(in_b));
    }
    per_branch *= level->count;
  }
  return std::nullopt;
}

std::optional<std::string> RuleJudge::in_place(std::span<const OsdId> up) const {
  for (const Block& block : blocks_) {
    for (size_t i = 0; i < block.count; i++) {
      const OsdId osd = up[block.first + i];
      if (!block.below.holds(osd))
        return fmt::format("osd.{} is not below {}", osd, crush_.item_name(block.below.root()));
      for (const Level& level : block.levels)
        if (level.type != 0 && block.below.ancestor(osd, level.type) == 0)
          return fmt::format("osd.{} is in no {}", osd, crush_.type_name(level.type));
      for (size_t j = 0; j < i; j++)
        if (auto why = pair_violation(block, j, i, up[block.first + j], osd)) return why;
    }
  }
  return std::nullopt;
}

/// Members of a replicated PG in an order that follows the rule if any does: each block takes the
/// first ones that are below its root, with those of the fullest branches in front.
std::vector<OsdId> RuleJudge::arranged(std::span<const OsdId> up) const {
  std::vector<OsdId> left(up.begin(), up.end()), out;
  for (const Block& block : blocks_) {
    std::vector<OsdId> members;
    std::erase_if(left, [&](OsdId osd) {
      const bool take = members.size() < block.count && block.below.holds(osd);
      if (take) members.push_back(osd);
      return take;
    });
    auto key = [&](OsdId osd) {
      std::vector<std::tuple<int64_t, CrushItem>> k;
      for (const Level& level : block.levels) {
        const CrushItem in = level.type ? block.below.ancestor(osd, level.type) : osd;
        const auto beside = std::count_if(members.begin(), members.end(), [&](OsdId other) {
          return (level.type ? block.below.ancestor(other, level.type) : other) == in;
        });
        k.emplace_back(-beside, in);
      }
      return k;
    };
    std::vector<std::pair<std::vector<std::tuple<int64_t, CrushItem>>, OsdId>> sorted;
    for (OsdId osd : members) sorted.emplace_back(key(osd), osd);
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [k, osd] : sorted) out.push_back(osd);
  }
  out.insert(out.end(), left.begin(), left.end());
  return out;
}

std::optional<std::string> RuleJudge::violation(std::span<const OsdId> up) const {
  if (up.size() != size_) return fmt::format("{} members instead of {}", up.size(), size_);
  for (size_t i = 0; i < up.size(); i++) {
    if (up[i] == kOsdNone) return fmt::format("nobody at position {}", i);
    if (std::find(up.begin(), up.begin() + i, up[i]) != up.begin() + i)
      return fmt::format("osd.{} is in it twice", up[i]);
  }
  auto why = in_place(up);
  if (!why || erasure_) return why;
  return in_place(arranged(up)) ? why : std::nullopt;
}

}  // namespace plimsoll::mover
