// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes to CRUSH maps: rules, and weight sets, which placement uses instead of weights.
#include <fmt/format.h>

#include <algorithm>

#include "common/map/crush_editor.h"

namespace plimsoll::map {

// ---- rules --------------------------------------------------------------------------------------

Result<int> CrushMap::add_simple_rule(std::string_view name, std::string_view root,
                                      std::string_view failure_domain,
                                      std::string_view device_class, std::string_view mode,
                                      uint8_t rule_type) {
  if (!is_valid_crush_name(name)) return fail(EINVAL, fmt::format("bad rule name '{}'", name));
  if (find_rule(name)) return fail(EEXIST, fmt::format("rule {} already exists", name));
  const auto take = find_item(root);
  if (!take) return fail(ENOENT, fmt::format("root item {} does not exist", root));
  const auto type = failure_domain.empty() ? std::optional<int>(0) : find_type(failure_domain);
  if (!type) return fail(EINVAL, fmt::format("unknown type {}", failure_domain));
  const bool firstn = mode == "firstn";
  if (!firstn && mode != "indep") return fail(EINVAL, fmt::format("unknown mode {}", mode));
  CrushItem from = *take;
  if (!device_class.empty()) {
    const auto class_id = find_class(device_class);
    if (!class_id) return fail(EINVAL, fmt::format("device class {} does not exist", device_class));
    auto shadows = class_buckets.find(from);
    if (shadows == class_buckets.end() || !shadows->second.count(*class_id))
      return fail(EINVAL, fmt::format("root {} has no devices with class {}", root, device_class));
    from = shadows->second.at(*class_id);
  }
  size_t slot = 0;
  auto taken = [&](size_t n) {
    return std::any_of(rules.begin(), rules.end(),
                       [&](const auto& r) { return r && r->ruleset == n; });
  };
  while ((slot < rules.size() && rules[slot]) || taken(slot)) slot++;
  if (slot >= kMaxCrushRules) return fail(ENOSPC, "too many crush rules");

  CrushRule rule;
  rule.ruleset = static_cast<uint8_t>(slot);
  rule.type = rule_type;
  rule.min_size = firstn ? 1 : 3;
  rule.max_size = firstn ? 10 : 20;
  if (!firstn) {
    rule.steps.push_back({CrushOp::kSetChooseleafTries, 5, 0});
    rule.steps.push_back({CrushOp::kSetChooseTries, 100, 0});
  }
  rule.steps.push_back({CrushOp::kTake, from, 0});
  const CrushOp choose = *type == 0
                             ? (firstn ? CrushOp::kChooseFirstn : CrushOp::kChooseIndep)
                             : (firstn ? CrushOp::kChooseleafFirstn : CrushOp::kChooseleafIndep);
  rule.steps.push_back({choose, 0, *type});
  rule.steps.push_back({CrushOp::kEmit, 0, 0});
  if (slot >= rules.size()) rules.resize(slot + 1);
  rules[slot] = std::move(rule);
  rule_names[static_cast<int>(slot)] = name;
  return static_cast<int>(slot);
}

Result<> CrushMap::remove_rule(std::string_view name) {
  const auto id = find_rule(name);
  if (!id) return fail(ENOENT, fmt::format("rule {} does not exist", name));
  rules[*id].reset();
  rule_names.erase(*id);
  return rebuild_shadow_trees();
}

Result<> CrushMap::rename_rule(std::string_view from, std::string_view to) {
  const auto id = find_rule(from);
  if (!id) {
    if (find_rule(to)) return fail(EALREADY, fmt::format("rule '{}' is already renamed", to));
    return fail(ENOENT, fmt::format("source rule name '{}' does not exist", from));
  }
  if (find_rule(to))
    return fail(EEXIST, fmt::format("destination rule name '{}' already exists", to));
  if (!is_valid_crush_name(to)) return fail(EINVAL, fmt::format("bad rule name '{}'", to));
  rule_names[*id] = to;
  return {};
}

// ---- weight sets --------------------------------------------------------------------------------

Result<> CrushMap::create_choose_args(int64_t key, int positions) {
  if (choose_args.count(key)) return fail(EEXIST, "the weight-set exists");
  if (positions < 1 || positions > 255) return fail(EINVAL, fmt::format("{} positions", positions));
  auto& args = choose_args[key];
  for (const auto& b : buckets) {
    if (!b) continue;
    auto& set = args[b->id];
    set.positions.assign(positions, b->weights);
  }
  return {};
}

Result<> CrushMap::set_choose_args_weight(int64_t key, std::string_view item,
                                          const std::vector<double>& weights) {
  if (!choose_args.count(key)) return fail(ENOENT, "there is no such weight-set");
  TRY(id, item_id(item));
  std::vector<CrushWeight> fixed;
  for (double weight : weights) {
    TRY(w, crush_weight_from(weight));
    fixed.push_back(w);
  }
  CrushEditor e(*this);
  for (auto& [holder, set] : e.map().choose_args[key]) {
    const auto at = bucket(holder)->index_of(id);
    if (!at) continue;
    if (set.positions.size() != fixed.size())
      return fail(EINVAL, fmt::format("must specify exactly {} weights", set.positions.size()));
    for (size_t p = 0; p < fixed.size(); p++) set.positions[p][*at] = fixed[p];
  }
  e.sum_weight_sets();
  *this = e.take();
  return {};
}

}  // namespace plimsoll::map
