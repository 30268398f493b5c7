// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/rule.h"

#include <algorithm>
#include <set>

#include "common/base/assert.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

using map::CrushItem;
using map::CrushOp;

namespace {

/// A position that can only take its device from so few buckets looks there alone.
constexpr size_t kFewScopes = 4;

CrushItem domain(const std::vector<CrushItem>* ancestors, OsdId osd) {
  return ancestors ? (*ancestors)[osd] : osd;
}

bool is_choose(CrushOp op) {
  return op == CrushOp::kChooseFirstn || op == CrushOp::kChooseIndep;
}
bool is_chooseleaf(CrushOp op) {
  return op == CrushOp::kChooseleafFirstn || op == CrushOp::kChooseleafIndep;
}

}  // namespace

Rule::Rule(const map::CrushMap& crush, const Domains& domains, int rule_id, uint32_t size)
    : domains_(domains) {
  const map::CrushRule* rule = rule_id >= 0 ? crush.rule(rule_id) : nullptr;
  if (!rule || !parse(crush, *rule, size)) {
    refusal_ = Block::kRuleNotUnderstood;
    return;
  }
  for (Take& take : takes_) find_children(take);
  monitor_ = MonitorCheck(crush, *rule, size, crush.max_devices);
  refusal_ = never_accepted();
}

/// take, any number of choose, at the end a chooseleaf or a choose of devices, emit; again.
bool Rule::parse(const map::CrushMap& crush, const map::CrushRule& rule, uint32_t size) {
  Take take;
  bool at_devices = false;
  uint32_t positions = 0;
  for (const auto& step : rule.steps) {
    if (step.op == CrushOp::kTake) {
      if (take.root != 0 || !crush.bucket(step.arg1)) return false;
      take.root = step.arg1;
      at_devices = false;
    } else if (is_choose(step.op) || is_chooseleaf(step.op)) {
      if (at_devices || !parse_step(step, size, take)) return false;
      at_devices = is_chooseleaf(step.op) || step.arg2 == 0;
    } else if (step.op == CrushOp::kEmit) {
      if (!at_devices) return false;
      uint64_t all = 1;
      for (auto level = take.levels.rbegin(); level != take.levels.rend(); ++level) {
        level->below = static_cast<uint32_t>(all);
        all = std::min<uint64_t>(all * level->count, size);
      }
      take.first = positions;
      take.count = static_cast<uint32_t>(std::min<uint64_t>(all, size - positions));
      positions += take.count;
      add_root(crush, take.root);
      if (take.count) takes_.push_back(std::move(take));
      take = {};
      at_devices = false;
    }
  }
  return take.root == 0 && positions == size;
}

bool Rule::parse_step(const map::CrushStep& step, uint32_t size, Take& take) const {
  Level level;
  level.type = step.arg2;
  level.count = step_count(step, size);
  level.ancestors = level.type ? domains_.ancestors(level.type) : nullptr;
  if (take.root == 0 || level.count == 0 || (level.type && !level.ancestors)) return false;
  take.levels.push_back(std::move(level));
  return true;
}

void Rule::add_root(const map::CrushMap& crush, CrushItem root) {
  Root& r = roots_[root];
  if (!r.below.empty()) return;
  r.below.resize(crush.max_devices);
  auto descend = [&](auto& self, const map::CrushBucket& b) -> void {
    for (size_t i = 0; i < b.items.size(); i++) {
      const CrushItem item = b.items[i];
      if (item >= 0 && item < crush.max_devices && b.weights[i] > 0) r.below[item] = true;
      if (const auto* child = item < 0 ? crush.bucket(item) : nullptr) self(self, *child);
    }
  };
  descend(descend, *crush.bucket(root));
  for (OsdId osd = 0; osd < crush.max_devices; osd++)
    if (r.below[osd]) r.devices.push_back(osd);
}

void Rule::find_children(Take& take) {
  for (size_t i = 0; i < take.levels.size(); i++) {
    Level& level = take.levels[i];
    if (!level.ancestors) continue;
    std::map<CrushItem, std::set<CrushItem>> children;
    for (OsdId osd : devices(take.root))
      if (const CrushItem bucket = domain(level.ancestors, osd))
        children[i ? domain(take.levels[i - 1].ancestors, osd) : 0].insert(bucket);
    for (const auto& [parent, set] : children) level.children[parent] = {set.begin(), set.end()};
  }
}

/// How many buckets of the step's type a take uses at the least.
size_t Rule::fewest_buckets(const Take& take, const MonitorCheck::Step& step) const {
  for (const Level& level : take.levels)
    if (level.type == step.type) return (take.count + level.below - 1) / level.below;
  const auto& all = devices(take.root);
  return std::all_of(all.begin(), all.end(), [&](OsdId osd) { return step.parents[osd] != 0; });
}

/// Steps that even a PG as the rule wants it fails. Takes of one root may share buckets.
std::optional<Block> Rule::never_accepted() const {
  for (const MonitorCheck::Step& step : monitor_.steps()) {
    if (step.leaf) continue;
    std::map<CrushItem, size_t> by_root;
    for (const Take& take : takes_) {
      size_t& most = by_root[take.root];
      most = std::max(most, fewest_buckets(take, step));
    }
    size_t sum = 0;
    for (const auto& [root, n] : by_root) sum += n;
    if (sum > step.count) return takes_.size() > 1 ? Block::kTwoTakes : Block::kNestedChoose;
  }
  return std::nullopt;
}

const Rule::Take& Rule::take_of(uint32_t position) const {
  for (const Take& take : takes_)
    if (position < take.first + take.count) return take;
  check_failed("the position is one of the rule's", __FILE__, __LINE__, "");
}

std::vector<CrushItem> Rule::roots() const {
  std::vector<CrushItem> out;
  for (const auto& [root, devices] : roots_) out.push_back(root);
  return out;
}

bool Rule::is_below(CrushItem root, OsdId osd) const {
  const auto& below = roots_.at(root).below;
  return osd >= 0 && static_cast<size_t>(osd) < below.size() && below[osd];
}

int Rule::failure_domain() const {
  int type = 0;
  for (const Take& take : takes_) type = take.levels.back().type;
  return type;
}

std::optional<Block> Rule::conflict(std::span<const OsdId> up, uint32_t position, OsdId to) const {
  const Take& take = take_of(position);
  if (!is_below(take.root, to)) return Block::kTargetNotInRule;
  for (uint32_t i = 0; i < up.size(); i++)
    if (i != position && up[i] == to) return Block::kTargetInUp;
  const uint32_t mine = position - take.first;
  for (const Level& level : take.levels) {
    const CrushItem bucket = domain(level.ancestors, to);
    if (level.ancestors && bucket == 0) return Block::kTargetNotInRule;
    const uint32_t branch = mine / level.below, parent = branch / level.count;
    for (uint32_t i = 0; i < take.count; i++) {
      if (i == mine || i / level.below / level.count != parent) continue;
      const OsdId other = up[take.first + i];
      if ((i / level.below == branch) != (domain(level.ancestors, other) == bucket))
        return Block::kFailureDomain;
    }
  }
  return std::nullopt;
}

bool Rule::holds(std::span<const OsdId> up) const {
  if (refusal_ == Block::kRuleNotUnderstood) return false;
  for (OsdId osd : up)
    if (osd == kOsdNone) return false;
  for (const Take& take : takes_)
    for (uint32_t i = take.first; i < take.first + take.count; i++)
      if (i >= up.size() || !is_below(take.root, up[i])) return false;
  for (uint32_t i = 0; i < up.size(); i++)
    if (conflict(up, i, up[i])) return false;
  return true;
}

std::optional<Block> Rule::refuses(std::span<const OsdId> up, uint32_t position, OsdId to) const {
  if (up[position] == to) return Block::kTargetInUp;
  if (const auto block = conflict(up, position, to)) return block;
  // With one take the tree says all that monitors check, and more.
  return takes_.size() > 1 ? monitor_.drops(up, position, to) : std::nullopt;
}

void Rule::scopes(std::span<const OsdId> up, uint32_t position, std::vector<Scope>& out) const {
  const Take& take = take_of(position);
  const uint32_t mine = position - take.first;
  Scope at{take.root};
  out.clear();
  for (const Level& level : take.levels) {
    const uint32_t branch = mine / level.below, parent = branch / level.count;
    std::optional<CrushItem> shared;
    std::vector<CrushItem> used;
    for (uint32_t i = 0; i < take.count; i++) {
      if (i == mine || i / level.below / level.count != parent) continue;
      const CrushItem bucket = domain(level.ancestors, up[take.first + i]);
      if (i / level.below == branch) shared = bucket;
      used.push_back(bucket);
    }
    if (shared) {
      at = {take.root, level.type, *shared};
      continue;
    }
    const auto children = level.children.find(at.bucket);
    if (children == level.children.end()) break;
    for (CrushItem bucket : children->second) {
      if (std::find(used.begin(), used.end(), bucket) != used.end()) continue;
      out.push_back({take.root, level.type, bucket});
      if (out.size() > kFewScopes) break;
    }
    if (out.size() <= kFewScopes) return;
    out.clear();
    break;
  }
  out.push_back(at);
}

Rules::Rules(const State& state)
    : domains_(*state.crush,
               std::max(state.crush->max_devices, static_cast<int32_t>(state.devices.size()))) {
  for (const auto& [id, pool] : state.pools) {
    const uint32_t size = pool.info.size;
    auto& rule = rules_[{pool.rule, size}];
    if (!rule) rule = std::make_unique<Rule>(*state.crush, domains_, pool.rule, size);
    by_pool_[id] = rule.get();
  }
}

}  // namespace plimsoll::mover
