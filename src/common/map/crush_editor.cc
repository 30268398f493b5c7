// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/crush_editor.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::map {

namespace {

constexpr size_t kFirstSlots = 8;

/// Number of nodes of a tree bucket, and where its leaves are.
size_t tree_nodes(size_t leaves) {
  size_t depth = 1;
  for (size_t t = leaves ? leaves - 1 : 0; t; t >>= 1) depth++;
  return leaves ? size_t{1} << depth : 0;
}

void recompute_aux(CrushBucket& b) {
  if (b.alg == BucketAlg::kList) {
    b.aux.clear();
    uint32_t sum = 0;
    for (CrushWeight w : b.weights) b.aux.push_back(sum += w);
  } else if (b.alg == BucketAlg::kTree) {
    b.aux.assign(tree_nodes(b.items.size()), 0);
    for (size_t i = 0; i < b.items.size(); i++) {
      // From the leaf to the root: a node's weight is what hangs below it.
      size_t node = 2 * i + 1, half = 1;
      const size_t root = b.aux.size() / 2;
      for (;;) {
        b.aux[node] += b.weights[i];
        if (node == root) break;
        node = (node & (half << 1)) ? node - half : node + half;
        half <<= 1;
      }
    }
  }
}

Result<> check_editable(const CrushBucket& b, const std::string& name) {
  if (b.alg == BucketAlg::kStraw)
    return fail(EOPNOTSUPP,
                fmt::format("bucket '{}' has alg straw, which cannot be edited; use straw2", name));
  return {};
}

}  // namespace

void recompute(CrushBucket& b) {
  b.weight = 0;
  for (CrushWeight w : b.weights) b.weight += w;
  recompute_aux(b);
}

Result<CrushItem> CrushEditor::new_bucket(std::string_view name, int type, BucketAlg alg,
                                          std::optional<CrushItem> wanted) {
  size_t slot = 0;
  if (wanted)
    slot = static_cast<size_t>(-1 - *wanted);
  else
    while (slot < m_.buckets.size() && m_.buckets[slot]) slot++;
  if (slot >= static_cast<size_t>(kMaxCrushBuckets)) return fail(ENOSPC, "too many crush buckets");
  // Doubling keeps the encoding equal to Ceph's for the same history.
  size_t slots = m_.buckets.size();
  while (slot >= slots) slots = slots ? slots * 2 : kFirstSlots;
  m_.buckets.resize(slots);
  const CrushItem id = -1 - static_cast<CrushItem>(slot);
  CrushBucket& b = m_.buckets[slot].emplace();
  b.id = id;
  b.type = static_cast<uint16_t>(type);
  b.alg = alg;
  m_.item_names[id] = name;
  return id;
}

/// The bucket's weight changed: tell everyone who holds it. Shadow trees are made anew later.
void CrushEditor::propagate(CrushItem id) {
  const CrushWeight weight = m_.bucket(id)->weight;
  for (auto& parent : m_.buckets) {
    if (!parent) continue;
    auto at = parent->index_of(id);
    if (!at || parent->weights[*at] == weight) continue;
    parent->weights[*at] = weight;
    recompute(*parent);
    propagate(parent->id);
  }
}

Result<> CrushEditor::put(CrushItem into, CrushItem item, CrushWeight weight) {
  CrushBucket& b = *m_.bucket(into);
  TRY_VOID(check_editable(b, m_.item_name(into)));
  if (b.alg == BucketAlg::kUniform && !b.items.empty()) weight = b.uniform_weight;
  if (b.alg == BucketAlg::kUniform) b.uniform_weight = weight;
  b.items.push_back(item);
  b.weights.push_back(weight);
  recompute(b);
  if (item >= m_.max_devices) m_.max_devices = item + 1;
  for (auto& [key, args] : m_.choose_args) {
    auto it = args.find(into);
    if (it == args.end()) continue;
    for (auto& position : it->second.positions) position.push_back(weight);
    if (!it->second.ids.empty()) it->second.ids.push_back(item);
  }
  propagate(into);
  return {};
}

Result<> CrushEditor::take_out(CrushItem from, CrushItem item) {
  CrushBucket& b = *m_.bucket(from);
  TRY_VOID(check_editable(b, m_.item_name(from)));
  const size_t at = *b.index_of(item);
  b.items.erase(b.items.begin() + at);
  b.weights.erase(b.weights.begin() + at);
  recompute(b);
  for (auto& [key, args] : m_.choose_args) {
    auto it = args.find(from);
    if (it == args.end()) continue;
    for (auto& position : it->second.positions) position.erase(position.begin() + at);
    if (!it->second.ids.empty()) it->second.ids.erase(it->second.ids.begin() + at);
  }
  propagate(from);
  return {};
}

Result<> CrushEditor::set_weight(CrushItem in, CrushItem item, CrushWeight weight) {
  CrushBucket& b = *m_.bucket(in);
  TRY_VOID(check_editable(b, m_.item_name(in)));
  const size_t at = *b.index_of(item);
  if (b.alg == BucketAlg::kUniform) {
    b.uniform_weight = weight;
    std::fill(b.weights.begin(), b.weights.end(), weight);
  } else {
    b.weights[at] = weight;
  }
  recompute(b);
  for (auto& [key, args] : m_.choose_args) {
    auto it = args.find(in);
    if (it == args.end()) continue;
    for (auto& position : it->second.positions) position[at] = weight;
  }
  propagate(in);
  return {};
}

/// Hangs `item` into the location's lowest bucket, making buckets that do not exist from there up
/// to the first that does.
Result<> CrushEditor::put_at(CrushItem item, CrushWeight weight, const CrushLocation& location) {
  for (const auto& [type, name] : location)
    if (!m_.find_type(type)) return fail(EINVAL, fmt::format("type '{}' does not exist", type));
  CrushItem current = item;
  bool placed = false;
  const auto types = m_.type_names;
  for (const auto& [type, type_name] : types) {
    auto it = location.find(type_name);
    if (type == 0 || it == location.end()) continue;
    const std::string& name = it->second;
    if (!is_valid_crush_name(name)) return fail(EINVAL, fmt::format("bad bucket name '{}'", name));
    const auto existing = m_.find_item(name);
    if (existing && (*existing >= 0 || m_.item_type(*existing) != type))
      return fail(EINVAL, fmt::format("'{}' is not a bucket of type '{}'", name, type_name));
    if (existing && m_.subtree_contains(current, *existing))
      return fail(EINVAL, fmt::format("'{}' is below '{}': that would be a loop", name,
                                      m_.item_name(current)));
    CrushItem into = 0;
    if (existing) {
      into = *existing;
    } else {
      TRY(made, new_bucket(name, type, BucketAlg::kStraw2));
      into = made;
    }
    const CrushWeight w = current == item ? weight : m_.bucket(current)->weight;
    TRY_VOID(put(into, current, w));
    placed = true;
    current = into;
    if (existing) break;
  }
  if (!placed) return fail(EINVAL, "the location names no place");
  return {};
}

Result<> CrushEditor::take_out_everywhere(CrushItem item) {
  for (CrushItem parent : m_.all_parents_of(item))
    if (!m_.is_shadow(parent)) TRY_VOID(take_out(parent, item));
  return {};
}

void CrushEditor::forget(CrushItem item) {
  if (item < 0) {
    m_.buckets[-1 - item].reset();
    for (auto& [key, args] : m_.choose_args) args.erase(item);
  } else {
    m_.device_classes.erase(item);
  }
  m_.item_names.erase(item);
}

}  // namespace plimsoll::map
