// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/monitor_check.h"

#include <algorithm>
#include <set>

namespace plimsoll::mover {

using map::CrushItem;
using map::CrushOp;

namespace {

void assign_below(const map::CrushMap& crush, CrushItem item, CrushItem parent,
                  std::vector<CrushItem>& parents) {
  if (item >= 0) {
    if (static_cast<size_t>(item) < parents.size() && parents[item] == 0) parents[item] = parent;
    return;
  }
  if (const auto* b = crush.bucket(item))
    for (CrushItem child : b->items) assign_below(crush, child, parent, parents);
}

/// The topmost buckets of the type below `item` become the parents of what is below them.
void find_parents(const map::CrushMap& crush, CrushItem item, int type,
                  std::vector<CrushItem>& parents) {
  const auto* b = crush.bucket(item);
  if (!b || b->type < type) return;
  if (b->type == type) {
    assign_below(crush, item, item, parents);
    return;
  }
  for (CrushItem child : b->items) find_parents(crush, child, type, parents);
}

}  // namespace

uint32_t step_count(const map::CrushStep& step, uint32_t size) {
  const int64_t n = step.arg1 > 0 ? step.arg1 : int64_t{step.arg1} + size;
  return static_cast<uint32_t>(std::max<int64_t>(n, 0));
}

MonitorCheck::MonitorCheck(const map::CrushMap& crush, const map::CrushRule& rule, uint32_t size,
                           int32_t max_osd) {
  std::set<CrushItem> takes;
  for (const auto& step : rule.steps)
    if (step.op == CrushOp::kTake) takes.insert(step.arg1);
  for (const auto& step : rule.steps) {
    const bool leaf = step.op == CrushOp::kChooseleafFirstn || step.op == CrushOp::kChooseleafIndep;
    const bool choose = step.op == CrushOp::kChooseFirstn || step.op == CrushOp::kChooseIndep;
    if ((!leaf && !choose) || step.arg2 == 0) continue;
    Step s{step.arg2, step_count(step, size), leaf, std::vector<CrushItem>(max_osd, 0)};
    for (CrushItem take : takes) find_parents(crush, take, s.type, s.parents);
    steps_.push_back(std::move(s));
  }
}

std::optional<Block> MonitorCheck::drops(std::span<const OsdId> up, uint32_t position,
                                         OsdId to) const {
  std::vector<CrushItem> found;
  for (const Step& step : steps_) {
    found.clear();
    for (uint32_t i = 0; i < up.size(); i++) {
      const OsdId osd = i == position ? to : up[i];
      if (osd == kOsdNone || step.parents[osd] == 0) continue;
      const CrushItem parent = step.parents[osd];
      if (std::find(found.begin(), found.end(), parent) == found.end())
        found.push_back(parent);
      else if (step.leaf)
        return Block::kFailureDomain;
    }
    if (!step.leaf && found.size() > step.count) return Block::kTwoTakes;
  }
  return std::nullopt;
}

}  // namespace plimsoll::mover
