// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes to CRUSH maps. Each public function works on a copy and replaces the map when all went
// well; the Editor's steps keep weights and weight sets consistent up to the roots.
#include <fmt/format.h>

#include <algorithm>

#include "common/map/crush_map.h"

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

class Editor {
 public:
  explicit Editor(const CrushMap& map) : m_(map) {}
  CrushMap take() { return std::move(m_); }
  CrushMap& map() { return m_; }

  Result<CrushItem> new_bucket(std::string_view name, int type, BucketAlg alg,
                               std::optional<CrushItem> wanted = {});
  Result<> put(CrushItem into, CrushItem item, CrushWeight weight);
  Result<> take_out(CrushItem from, CrushItem item);
  Result<> set_weight(CrushItem in, CrushItem item, CrushWeight weight);
  Result<> put_at(CrushItem item, CrushWeight weight, const CrushLocation& location);
  Result<> take_out_everywhere(CrushItem item);
  /// Drops an item that nothing holds any more, with its name and class.
  void forget(CrushItem item);
  void sum_weight_sets();
  Result<> shadow();

 private:
  void propagate(CrushItem id);
  CrushItem shadow_of(CrushItem id, int class_id, const std::set<CrushItem>& used,
                      const std::map<int32_t, std::map<int32_t, int32_t>>& old);
  CrushMap m_;
};

Result<> check_editable(const CrushBucket& b, const std::string& name) {
  if (b.alg == BucketAlg::kStraw)
    return fail(EOPNOTSUPP,
                fmt::format("bucket '{}' has alg straw, which cannot be edited; use straw2", name));
  return {};
}

Result<CrushItem> Editor::new_bucket(std::string_view name, int type, BucketAlg alg,
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
void Editor::propagate(CrushItem id) {
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

Result<> Editor::put(CrushItem into, CrushItem item, CrushWeight weight) {
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

Result<> Editor::take_out(CrushItem from, CrushItem item) {
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

Result<> Editor::set_weight(CrushItem in, CrushItem item, CrushWeight weight) {
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
Result<> Editor::put_at(CrushItem item, CrushWeight weight, const CrushLocation& location) {
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

Result<> Editor::take_out_everywhere(CrushItem item) {
  for (CrushItem parent : m_.all_parents_of(item))
    if (!m_.is_shadow(parent)) TRY_VOID(take_out(parent, item));
  return {};
}

void Editor::forget(CrushItem item) {
  if (item < 0) {
    m_.buckets[-1 - item].reset();
    for (auto& [key, args] : m_.choose_args) args.erase(item);
  } else {
    m_.device_classes.erase(item);
  }
  m_.item_names.erase(item);
}

/// A bucket's entry in its parent's weight set is the sum of its own.
void Editor::sum_weight_sets() {
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
CrushItem Editor::shadow_of(CrushItem id, int class_id, const std::set<CrushItem>& used,
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

Result<> Editor::shadow() {
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

void recompute(CrushBucket& b) {
  b.weight = 0;
  for (CrushWeight w : b.weights) b.weight += w;
  recompute_aux(b);
}

// ---- buckets and devices ------------------------------------------------------------------------

Result<CrushItem> CrushMap::add_bucket(std::string_view name, std::string_view type) {
  if (find_item(name)) return fail(EEXIST, fmt::format("bucket '{}' already exists", name));
  TRY_VOID(check_new_name(*this, name));
  const auto type_id = find_type(type);
  if (!type_id) return fail(EINVAL, fmt::format("type '{}' does not exist", type));
  if (*type_id == 0)
    return fail(EINVAL, fmt::format("type '{}' is for devices, not buckets", type));
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
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
  Editor e(*this);
  // Setting a device to the weight it has sums its bucket anew and tells the parents.
  for (const auto& b : buckets)
    if (b && !is_shadow(b->id))
      for (size_t i = 0; i < b->items.size(); i++)
        if (b->items[i] >= 0) (void)e.set_weight(b->id, b->items[i], b->weights[i]);
  CHECK(e.shadow());
  *this = e.take();
}

// ---- classes ------------------------------------------------------------------------------------

Result<bool> CrushMap::set_device_class(CrushItem device, std::string_view class_name) {
  if (!is_valid_crush_name(class_name))
    return fail(EINVAL, fmt::format("bad class name '{}'", class_name));
  if (device < 0 || device >= kMaxCrushDevices)
    return fail(EINVAL, fmt::format("bad device id {}", device));
  const std::string now = class_of(device);
  if (now == class_name) return false;
  if (!now.empty())
    return fail(EBUSY,
                fmt::format("{} has already bound to class '{}', can not reset class to '{}'; "
                            "use 'ceph osd crush rm-device-class <id>' to remove old class first",
                            item_name(device), now, class_name));
  Editor e(*this);
  auto& m = e.map();
  auto id = m.find_class(class_name);
  if (!id) {
    id = m.class_names.empty() ? 0 : m.class_names.rbegin()->first + 1;
    m.class_names[*id] = class_name;
  }
  m.device_classes[device] = *id;
  // A new OSD gets its class before it gets a place.
  m.item_names.try_emplace(device, fmt::format("osd.{}", device));
  m.max_devices = std::max(m.max_devices, device + 1);
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<bool> CrushMap::remove_device_class(CrushItem device) {
  if (device < 0 || !item_names.count(device))
    return fail(ENOENT, fmt::format("device {} is not in the crush map", device));
  if (!device_classes.count(device)) return false;
  Editor e(*this);
  e.map().device_classes.erase(device);
  TRY_VOID(e.shadow());
  *this = e.take();
  return true;
}

Result<> CrushMap::rename_class(std::string_view from, std::string_view to) {
  const auto id = find_class(from);
  if (!id) {
    if (find_class(to)) return fail(EALREADY, fmt::format("class '{}' is already renamed", to));
    return fail(ENOENT, fmt::format("class '{}' does not exist", from));
  }
  if (find_class(to)) return fail(EEXIST, fmt::format("class '{}' already exists", to));
  if (!is_valid_crush_name(to)) return fail(EINVAL, fmt::format("bad class name '{}'", to));
  Editor e(*this);
  e.map().class_names[*id] = to;
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::create_class(std::string_view name) {
  if (find_class(name)) return fail(EEXIST, fmt::format("class '{}' already exists", name));
  if (!is_valid_crush_name(name)) return fail(EINVAL, fmt::format("bad class name '{}'", name));
  class_names[class_names.empty() ? 0 : class_names.rbegin()->first + 1] = name;
  return {};
}

Result<> CrushMap::remove_class(std::string_view name) {
  const auto id = find_class(name);
  if (!id) return fail(ENOENT, fmt::format("class '{}' does not exist", name));
  Editor e(*this);
  std::erase_if(e.map().device_classes, [&](const auto& entry) { return entry.second == *id; });
  if (e.map().class_in_use(*id))
    return fail(EBUSY, fmt::format("class '{}' is in use by a rule", name));
  e.map().class_names.erase(*id);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

Result<> CrushMap::rebuild_shadow_trees() {
  Editor e(*this);
  TRY_VOID(e.shadow());
  *this = e.take();
  return {};
}

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
  Editor e(*this);
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
