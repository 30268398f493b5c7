// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes to CRUSH maps: buckets and devices. Each function replaces the map when all went well.
#include <fmt/format.h>

#include "common/map/crush_editor.h"

namespace plimsoll::map {

namespace {

bool rule_takes(const CrushMap& m, CrushItem id) {
  for (size_t i = 0; i < m.rules.size(); i++) {
    for (CrushItem root : m.roots_of_rule(static_cast<int>(i))) {
      if (root == id) return true;
      auto it = m.class_buckets.find(id);
      if (it == m.class_buckets.end()) continue;
      for (const auto& [class_id, shadow] : it->second)
        if (shadow == root) return true;
    }
  }
  return false;
}

Result<> check_new_name(const CrushMap& m, std::string_view name) {
  if (!is_valid_crush_name(name))
    return fail(EINVAL, fmt::format("bad name '{}': want letters, digits, '_', '-' and '.'", name));
  if (m.find_item(name)) return fail(EEXIST, fmt::format("item '{}' already exists", name));
  return {};
}

}  // namespace

Result<CrushItem> CrushMap::add_bucket(std::string_view name, std::string_view type) {
  if (find_item(name)) return fail(EEXIST, fmt::format("bucket '{}' already exists", name));
  TRY_VOID(check_new_name(*this, name));
  const auto type_id = find_type(type);
  if (!type_id) return fail(EINVAL, fmt::format("type '{}' does not exist", type));
  if (*type_id == 0)
    return fail(EINVAL, fmt::format("type '{}' is for devices, not buckets", type));
  CrushEditor e(*this);
  TRY(id, e.new_bucket(name, *type_id, BucketAlg::kStraw2));
  TRY_VOID(e.shadow());
  *this = e.take();
  return id;
}

Result<bool> CrushMap::set_device(CrushItem id, std::string_view name, double weight,
                                  const CrushLocation& location) {
  TRY(w, crush_weight_from(weight));
  if (id < 0 || id >= kMaxCrushDevices) return fail(EINVAL, fmt::format("bad device id {}", id));
  if (!is_valid_crush_name(name)) return fail(EINVAL, fmt::format("bad name '{}'", name));
  if (auto other = find_item(name); other && *other != id)
    return fail(EEXIST, fmt::format("name '{}' is of item {}", name, *other));
  CrushEditor e(*this);
  if (is_at(id, location)) {
    if (item_weight(id) == w && item_name(id) == name) return false;
    for (CrushItem parent : all_parents_of(id))
      if (!is_shadow(parent)) TRY_VOID(e.set_weight(parent, id, w));
  } else {
    TRY_VOID(e.take_out_everywhere(id));
    TRY_VOID(e.put_at(id, w, location));
  }
  e.map().item_names[id] = name;
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<bool> CrushMap::create_or_move(CrushItem id, std::string_view name, double weight,
                                      const CrushLocation& location) {
  if (is_at(id, location)) return false;
  if (parent_of(id)) weight = crush_weight_to_double(item_weight(id));
  return set_device(id, name, weight, location);
}

Result<bool> CrushMap::move(std::string_view name, const CrushLocation& location) {
  TRY(id, item_id(name));
  if (is_shadow(id)) return fail(EINVAL, fmt::format("'{}' is a shadow bucket", name));
  if (is_at(id, location)) return false;
  const CrushWeight weight = id < 0 ? bucket(id)->weight : item_weight(id);
  CrushEditor e(*this);
  TRY_VOID(e.take_out_everywhere(id));
  TRY_VOID(e.put_at(id, weight, location));
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<bool> CrushMap::link(std::string_view name, const CrushLocation& location) {
  TRY(id, item_id(name));
  if (is_shadow(id)) return fail(EINVAL, fmt::format("'{}' is a shadow bucket", name));
  if (is_at(id, location)) return false;
  CrushEditor e(*this);
  TRY_VOID(e.put_at(id, id < 0 ? bucket(id)->weight : item_weight(id), location));
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<> CrushMap::remove(std::string_view name, std::optional<std::string> ancestor,
                          bool unlink_only) {
  TRY(id, item_id(name));
  if (is_shadow(id)) return fail(EINVAL, fmt::format("'{}' is a shadow bucket", name));
  if (!unlink_only && id < 0 && !bucket(id)->items.empty())
    return fail(ENOTEMPTY, fmt::format("bucket '{}' is not empty", name));
  if (!unlink_only && rule_takes(*this, id))
    return fail(EBUSY, fmt::format("bucket '{}' is in use by a rule", name));
  CrushEditor e(*this);
  if (ancestor) {
    TRY(above, item_id(*ancestor));
    bool found = false;
    for (CrushItem parent : all_parents_of(id)) {
      if (is_shadow(parent) || !subtree_contains(above, parent)) continue;
      TRY_VOID(e.take_out(parent, id));
      found = true;
    }
    if (!found) return fail(ENOENT, fmt::format("item '{}' is not below '{}'", name, *ancestor));
  } else {
    TRY_VOID(e.take_out_everywhere(id));
  }
  if (!unlink_only && !e.map().parent_of(id)) e.forget(id);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::rename_bucket(std::string_view from, std::string_view to) {
  const auto id = find_item(from);
  if (!id) {
    if (find_item(to)) return fail(EALREADY, fmt::format("bucket '{}' is already renamed", to));
    return fail(ENOENT, fmt::format("srcname '{}' does not exist", from));
  }
  if (*id >= 0) return fail(ENOTDIR, fmt::format("srcname '{}' is not a bucket", from));
  if (is_shadow(*id)) return fail(EINVAL, fmt::format("'{}' is a shadow bucket", from));
  TRY_VOID(check_new_name(*this, to));
  CrushEditor e(*this);
  e.map().item_names[*id] = to;
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::swap_buckets(std::string_view a, std::string_view b) {
  TRY(ida, item_id(a));
  TRY(idb, item_id(b));
  if (ida >= 0 || idb >= 0) return fail(EINVAL, "only buckets can be swapped");
  if (is_shadow(ida) || is_shadow(idb)) return fail(EINVAL, "shadow buckets cannot be swapped");
  if (subtree_contains(ida, idb) || subtree_contains(idb, ida))
    return fail(EINVAL, fmt::format("'{}' and '{}' are in one another", a, b));
  CrushEditor e(*this);
  const CrushBucket old_a = *bucket(ida), old_b = *bucket(idb);
  for (CrushItem item : old_a.items) TRY_VOID(e.take_out(ida, item));
  for (CrushItem item : old_b.items) TRY_VOID(e.take_out(idb, item));
  for (size_t i = 0; i < old_b.items.size(); i++)
    TRY_VOID(e.put(ida, old_b.items[i], old_b.weights[i]));
  for (size_t i = 0; i < old_a.items.size(); i++)
    TRY_VOID(e.put(idb, old_a.items[i], old_a.weights[i]));
  std::swap(e.map().item_names[ida], e.map().item_names[idb]);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::reweight(std::string_view name, double weight) {
  TRY(id, item_id(name));
  TRY(w, crush_weight_from(weight));
  if (id < 0) return fail(EINVAL, fmt::format("device '{}' is not a leaf in the crush map", name));
  CrushEditor e(*this);
  bool found = false;
  for (CrushItem parent : all_parents_of(id)) {
    if (is_shadow(parent)) continue;
    TRY_VOID(e.set_weight(parent, id, w));
    found = true;
  }
  if (!found)
    return fail(ENOENT, fmt::format("device '{}' does not appear in the crush map", name));
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<int> CrushMap::reweight_subtree(std::string_view name, double weight) {
  TRY(id, item_id(name));
  TRY(w, crush_weight_from(weight));
  if (id >= 0) return fail(EINVAL, fmt::format("'{}' is not a bucket", name));
  CrushEditor e(*this);
  int changed = 0;
  for (CrushItem at : subtree(id)) {
    const CrushBucket* b = bucket(at);
    if (!b || is_shadow(at)) continue;
    for (CrushItem item : b->items) {
      if (item < 0) continue;
      TRY_VOID(e.set_weight(at, item, w));
      changed++;
    }
  }
  TRY_VOID(e.shadow());
  *this = e.take();
  return changed;
}

void CrushMap::reweight_all() {
  CrushEditor e(*this);
  // Setting a device to the weight it has sums its bucket anew and tells the parents.
  for (const auto& b : buckets)
    if (b && !is_shadow(b->id))
      for (size_t i = 0; i < b->items.size(); i++)
        if (b->items[i] >= 0) (void)e.set_weight(b->id, b->items[i], b->weights[i]);
  CHECK(e.shadow());
  *this = e.take();
}

}  // namespace plimsoll::map
