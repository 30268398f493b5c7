// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/crush_map.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace plimsoll::map {

namespace {

struct AlgName {
  BucketAlg alg;
  const char* name;
};
constexpr AlgName kAlgNames[] = {{BucketAlg::kUniform, "uniform"},
                                 {BucketAlg::kList, "list"},
                                 {BucketAlg::kTree, "tree"},
                                 {BucketAlg::kStraw, "straw"},
                                 {BucketAlg::kStraw2, "straw2"}};

constexpr const char* kTypeNames[] = {"osd", "host", "chassis",    "rack", "row",    "pdu",
                                      "pod", "room", "datacenter", "zone", "region", "root"};

template <class Key, class Name>
std::optional<Key> find_name(const std::map<Key, std::string>& names, Name name) {
  for (const auto& [key, value] : names)
    if (value == name) return key;
  return {};
}

template <class Map, class Key>
std::string name_or_empty(const Map& names, Key key) {
  auto it = names.find(key);
  return it == names.end() ? std::string() : it->second;
}

}  // namespace

const char* bucket_alg_name(BucketAlg alg) {
  for (const auto& entry : kAlgNames)
    if (entry.alg == alg) return entry.name;
  return "unknown";
}

std::optional<BucketAlg> bucket_alg_from(std::string_view name) {
  for (const auto& entry : kAlgNames)
    if (entry.name == name) return entry.alg;
  return {};
}

Result<CrushWeight> crush_weight_from(double weight) {
  // Sums of weights must fit 32 bits as well, so a single one stays far below.
  if (!std::isfinite(weight) || weight < 0 || weight > 32767)
    return fail(EINVAL, fmt::format("weight {} is not in [0, 32767]", weight));
  // Through float, as Ceph's arithmetic does it: 0.3 must come out equal.
  return static_cast<CrushWeight>(static_cast<float>(weight) * static_cast<float>(kCrushOne));
}

bool is_valid_crush_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<CrushLocation> parse_crush_location(const std::vector<std::string>& words) {
  CrushLocation out;
  for (const auto& word : words) {
    const size_t eq = word.find('=');
    if (eq == word.npos || eq == 0 || !is_valid_crush_name(word.substr(eq + 1)))
      return fail(EINVAL, fmt::format("bad location '{}': want type=name", word));
    out[word.substr(0, eq)] = word.substr(eq + 1);
  }
  return out;
}

std::optional<size_t> CrushBucket::index_of(CrushItem item) const {
  auto it = std::find(items.begin(), items.end(), item);
  if (it == items.end()) return {};
  return static_cast<size_t>(it - items.begin());
}

Result<CrushTunables> CrushTunables::profile(std::string_view name) {
  CrushTunables t;
  if (name == "jewel" || name == "optimal" || name == "default") return t;
  t.chooseleaf_stable = 0;
  if (name == "hammer") return t;
  t.allowed_bucket_algs = 22;
  if (name == "firefly") {
    t.straw_calc_version = 0;
    return t;
  }
  t.straw_calc_version = 0;
  t.chooseleaf_vary_r = 0;
  if (name == "bobtail") return t;
  t.choose_total_tries = 19;
  t.choose_local_tries = 2;
  t.choose_local_fallback_tries = 5;
  t.chooseleaf_descend_once = 0;
  if (name == "argonaut" || name == "legacy") return t;
  return fail(EINVAL, fmt::format("unrecognized profile '{}'", name));
}

CrushMap CrushMap::empty() {
  CrushMap m;
  for (int i = 0; const char* name : kTypeNames) m.type_names[i++] = name;
  return m;
}

CrushMap CrushMap::initial(std::string_view failure_domain) {
  CrushMap m = empty();
  CHECK(m.add_bucket("default", "root"));
  CHECK(m.add_simple_rule("replicated_rule", "default", failure_domain, "", "firstn",
                          kRuleReplicated));
  return m;
}

const CrushBucket* CrushMap::bucket(CrushItem id) const {
  const int64_t slot = -1 - static_cast<int64_t>(id);
  if (slot < 0 || slot >= static_cast<int64_t>(buckets.size()) || !buckets[slot]) return nullptr;
  return &*buckets[slot];
}

CrushBucket* CrushMap::bucket(CrushItem id) {
  return const_cast<CrushBucket*>(std::as_const(*this).bucket(id));
}

const CrushRule* CrushMap::rule(int id) const {
  return id >= 0 && id < static_cast<int>(rules.size()) && rules[id] ? &*rules[id] : nullptr;
}

std::optional<CrushItem> CrushMap::find_item(std::string_view name) const {
  return find_name(item_names, name);
}

Result<CrushItem> CrushMap::item_id(std::string_view name) const {
  if (auto id = find_item(name)) return *id;
  return fail(ENOENT, fmt::format("item '{}' does not exist", name));
}

std::string CrushMap::item_name(CrushItem id) const {
  return name_or_empty(item_names, id);
}
std::string CrushMap::type_name(int type) const {
  return name_or_empty(type_names, type);
}
std::string CrushMap::rule_name(int id) const {
  return name_or_empty(rule_names, id);
}
std::optional<int> CrushMap::find_type(std::string_view name) const {
  return find_name(type_names, name);
}
std::optional<int> CrushMap::find_rule(std::string_view name) const {
  return find_name(rule_names, name);
}
std::optional<int> CrushMap::find_class(std::string_view name) const {
  return find_name(class_names, name);
}

int CrushMap::item_type(CrushItem id) const {
  const CrushBucket* b = bucket(id);
  return b ? b->type : 0;
}

std::string CrushMap::class_of(CrushItem id) const {
  if (id >= 0) {
    auto it = device_classes.find(id);
    return it == device_classes.end() ? std::string() : name_or_empty(class_names, it->second);
  }
  const std::string name = item_name(id);
  const size_t tilde = name.find('~');
  return tilde == name.npos ? std::string() : name.substr(tilde + 1);
}

bool CrushMap::is_shadow(CrushItem id) const {
  if (id >= 0) return false;
  auto it = item_names.find(id);
  return it != item_names.end() && it->second.find('~') != std::string::npos;
}

std::vector<CrushItem> CrushMap::all_parents_of(CrushItem id) const {
  std::vector<CrushItem> out;
  for (const auto& b : buckets)
    if (b && b->index_of(id)) out.push_back(b->id);
  return out;
}

std::optional<CrushItem> CrushMap::parent_of(CrushItem id) const {
  for (const auto& b : buckets)
    if (b && b->index_of(id) && !is_shadow(b->id)) return b->id;
  return {};
}

std::set<CrushItem> CrushMap::roots(bool with_shadow) const {
  std::set<CrushItem> children;
  for (const auto& b : buckets)
    if (b) children.insert(b->items.begin(), b->items.end());
  std::set<CrushItem> out;
  for (const auto& b : buckets)
    if (b && !children.count(b->id) && (with_shadow || !is_shadow(b->id))) out.insert(b->id);
  return out;
}

std::set<CrushItem> CrushMap::subtree(CrushItem id) const {
  // A set of what was seen keeps this linear when buckets are linked into many places.
  std::set<CrushItem> seen{id};
  std::vector<CrushItem> todo{id};
  while (!todo.empty()) {
    const CrushBucket* b = bucket(todo.back());
    todo.pop_back();
    if (!b) continue;
    for (CrushItem item : b->items)
      if (seen.insert(item).second) todo.push_back(item);
  }
  return seen;
}

std::set<CrushItem> CrushMap::devices_under(CrushItem id) const {
  std::set<CrushItem> out = subtree(id);
  out.erase(out.begin(), out.lower_bound(0));
  return out;
}

bool CrushMap::subtree_contains(CrushItem ancestor, CrushItem id) const {
  return subtree(ancestor).count(id) != 0;
}

CrushWeight CrushMap::item_weight(CrushItem id) const {
  const auto parent = parent_of(id);
  if (!parent) return 0;
  const CrushBucket* b = bucket(*parent);
  return b->weights[*b->index_of(id)];
}

CrushLocation CrushMap::location_of(CrushItem id) const {
  CrushLocation out;
  for (auto parent = parent_of(id); parent; parent = parent_of(*parent))
    out[type_name(item_type(*parent))] = item_name(*parent);
  return out;
}

std::string CrushMap::subtree_of(CrushItem id, const std::string& type) const {
  const CrushLocation location = location_of(id);
  const auto it = location.find(type);
  return it == location.end() ? item_name(id) : it->second;
}

bool CrushMap::is_at(CrushItem id, const CrushLocation& location) const {
  for (const auto& [type, type_name] : type_names) {
    if (type == 0) continue;
    auto it = location.find(type_name);
    if (it == location.end()) continue;
    auto at = find_item(it->second);
    const CrushBucket* b = at ? bucket(*at) : nullptr;
    return b && b->index_of(id).has_value();
  }
  return false;
}

std::set<CrushItem> CrushMap::roots_of_rule(int rule_id) const {
  std::set<CrushItem> out;
  if (const CrushRule* r = rule(rule_id))
    for (const auto& step : r->steps)
      if (step.op == CrushOp::kTake) out.insert(step.arg1);
  return out;
}

std::map<CrushItem, double> CrushMap::device_shares_of_rule(int rule_id) const {
  std::map<CrushItem, double> out;
  double sum = 0;
  for (CrushItem root : roots_of_rule(rule_id)) {
    for (CrushItem id : subtree(root)) {
      const CrushBucket* b = bucket(id);
      for (size_t i = 0; b && i < b->items.size(); i++) {
        if (b->items[i] < 0 || !b->weights[i]) continue;
        out[b->items[i]] += crush_weight_to_double(b->weights[i]);
        sum += crush_weight_to_double(b->weights[i]);
      }
    }
  }
  for (auto& [osd, share] : out) share /= sum;
  return out;
}

bool CrushMap::class_in_use(int class_id) const {
  for (const auto& [device, id] : device_classes)
    if (id == class_id) return true;
  for (size_t i = 0; i < rules.size(); i++)
    for (CrushItem root : roots_of_rule(static_cast<int>(i)))
      for (const auto& [bucket_id, shadows] : class_buckets) {
        auto it = shadows.find(class_id);
        if (it != shadows.end() && it->second == root) return true;
      }
  return false;
}

const CrushChooseArgs* CrushMap::choose_args_for(int64_t pool) const {
  auto it = choose_args.find(pool);
  if (it == choose_args.end()) it = choose_args.find(kDefaultChooseArgs);
  return it == choose_args.end() ? nullptr : &it->second;
}

}  // namespace plimsoll::map
