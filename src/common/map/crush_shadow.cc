// SPDX-License-Identifier: LGPL-2.1-or-later
// Shadow trees: for each class and root a copy of the tree with only the devices of that class,
// which rules of a class take. They are made anew after every change and keep their ids.
#include <algorithm>

#include "common/map/crush_editor.h"

namespace plimsoll::map {

/// A bucket's entry in its parent's weight set is the sum of its own.
void CrushEditor::sum_weight_sets() {
  for (auto& [key, args] : m_.choose_args) {
    // Lowest first, so that sums travel up in one pass; types order real trees.
    std::vector<std::pair<int, CrushItem>> order;
    for (const auto& [id, set] : args) order.emplace_back(m_.item_type(id), id);
    std::sort(order.begin(), order.end());
    for (const auto& [type, id] : order) {
      for (CrushItem parent : m_.all_parents_of(id)) {
        auto above = args.find(parent);
        if (above == args.end()) continue;
        const size_t at = *m_.bucket(parent)->index_of(id);
        const auto& positions = args[id].positions;
        for (size_t p = 0; p < above->second.positions.size() && !positions.empty(); p++) {
          CrushWeight sum = 0;
          for (CrushWeight w : positions[std::min(p, positions.size() - 1)]) sum += w;
          above->second.positions[p][at] = sum;
        }
      }
    }
  }
}

/// Copies the part of `id` that has the class; returns the shadow bucket.
CrushItem CrushEditor::shadow_of(CrushItem id, int class_id, const std::set<CrushItem>& used,
                                 const std::map<int32_t, std::map<int32_t, int32_t>>& old) {
  const std::string name = m_.item_name(id) + "~" + m_.class_names[class_id];
  if (auto done = m_.find_item(name)) return *done;  // linked into several places
  const CrushBucket original = *m_.bucket(id);
  CrushBucket copy;
  copy.type = original.type;
  copy.alg = original.alg;
  copy.uniform_weight = original.uniform_weight;
  std::map<int64_t, CrushWeightSet> sets;
  for (size_t i = 0; i < original.items.size(); i++) {
    CrushItem item = original.items[i];
    CrushWeight weight = original.weights[i];
    if (item >= 0) {
      auto it = m_.device_classes.find(item);
      if (it == m_.device_classes.end() || it->second != class_id) continue;
    } else {
      item = shadow_of(item, class_id, used, old);
      weight = m_.bucket(item)->weight;
    }
    copy.items.push_back(item);
    copy.weights.push_back(weight);
    for (const auto& [key, args] : m_.choose_args) {
      auto from = args.find(id);
      if (from == args.end()) continue;
      auto& set = sets[key];
      set.positions.resize(from->second.positions.size());
      for (size_t p = 0; p < set.positions.size(); p++)
        set.positions[p].push_back(from->second.positions[p][i]);
      if (!from->second.ids.empty()) set.ids.push_back(from->second.ids[i]);
    }
  }
  recompute(copy);
  std::optional<CrushItem> wanted;
  if (auto was = old.find(id); was != old.end())
    if (auto it = was->second.find(class_id); it != was->second.end()) wanted = it->second;
  if (!wanted) {
    CrushItem free = -1;
    while (m_.bucket(free) || used.count(free)) free--;
    wanted = free;
  }
  copy.id = *wanted;
  CHECK(new_bucket(name, original.type, original.alg, copy.id));
  *m_.bucket(copy.id) = copy;
  m_.class_buckets[id][class_id] = copy.id;
  for (auto& [key, set] : sets) m_.choose_args[key][copy.id] = std::move(set);
  return copy.id;
}

Result<> CrushEditor::shadow() {
  const auto old = m_.class_buckets;
  std::vector<int> dead;
  for (const auto& [id, name] : m_.class_names)
    if (!m_.class_in_use(id)) dead.push_back(id);
  for (int id : dead) m_.class_names.erase(id);
  std::set<CrushItem> used;
  for (const auto& [bucket, shadows] : old)
    for (const auto& [class_id, shadow] : shadows) used.insert(shadow);
  for (size_t slot = 0; slot < m_.buckets.size(); slot++) {
    const CrushItem id = -1 - static_cast<CrushItem>(slot);
    if (m_.buckets[slot] && m_.is_shadow(id)) forget(id);
  }
  m_.class_buckets.clear();
  for (CrushItem root : m_.roots())
    for (const auto& [class_id, name] : m_.class_names) shadow_of(root, class_id, used, old);
  sum_weight_sets();
  return {};
}

}  // namespace plimsoll::map
