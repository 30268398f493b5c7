// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/crush_dump.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::map {

namespace json = boost::json;

namespace {

const char* step_name(CrushOp op) {
  switch (op) {
    case CrushOp::kNoop:
      return "noop";
    case CrushOp::kTake:
      return "take";
    case CrushOp::kChooseFirstn:
      return "choose_firstn";
    case CrushOp::kChooseIndep:
      return "choose_indep";
    case CrushOp::kEmit:
      return "emit";
    case CrushOp::kChooseleafFirstn:
      return "chooseleaf_firstn";
    case CrushOp::kChooseleafIndep:
      return "chooseleaf_indep";
    case CrushOp::kSetChooseTries:
      return "set_choose_tries";
    case CrushOp::kSetChooseleafTries:
      return "set_chooseleaf_tries";
    case CrushOp::kSetChooseLocalTries:
      return "set_choose_local_tries";
    case CrushOp::kSetChooseLocalFallbackTries:
      return "set_choose_local_fallback_tries";
    case CrushOp::kSetChooseleafVaryR:
      return "set_chooseleaf_vary_r";
    case CrushOp::kSetChooseleafStable:
      return "set_chooseleaf_stable";
  }
  return "unknown";
}

json::object dump_step(const CrushMap& crush, const CrushStep& step) {
  json::object out{{"op", step_name(step.op)}};
  switch (step.op) {
    case CrushOp::kNoop:
    case CrushOp::kEmit:
      break;
    case CrushOp::kTake:
      out["item"] = step.arg1;
      out["item_name"] = crush.item_name(step.arg1);
      break;
    case CrushOp::kChooseFirstn:
    case CrushOp::kChooseIndep:
    case CrushOp::kChooseleafFirstn:
    case CrushOp::kChooseleafIndep:
      out["num"] = step.arg1;
      out["type"] = crush.type_name(step.arg2);
      break;
    default:
      out["num"] = step.arg1;
      break;
  }
  return out;
}

json::object dump_bucket(const CrushMap& crush, const CrushBucket& b) {
  json::array items;
  for (size_t i = 0; i < b.items.size(); i++)
    items.push_back(json::object{{"id", b.items[i]}, {"weight", b.weights[i]}, {"pos", i}});
  return {{"id", b.id},          {"name", crush.item_name(b.id)},
          {"type_id", b.type},   {"type_name", crush.type_name(b.type)},
          {"weight", b.weight},  {"alg", bucket_alg_name(b.alg)},
          {"hash", "rjenkins1"}, {"items", std::move(items)}};
}

/// Newest profile whose tunables the map has; "unknown" for a mixture.
const char* profile_name(const CrushMap& crush) {
  for (const char* name : {"jewel", "hammer", "firefly", "bobtail", "argonaut"}) {
    CrushTunables t = *CrushTunables::profile(name);
    t.straw_calc_version = crush.tunables.straw_calc_version;  // changes no placement by itself
    if (t == crush.tunables) return name;
  }
  return "unknown";
}

const char* minimum_version(const CrushFeatures& f) {
  if (f.v5_rules || f.tunables5) return "jewel";
  if (f.v4_buckets) return "hammer";
  if (f.v3_rules || f.tunables3) return "firefly";
  if (f.v2_rules || f.tunables2 || f.tunables) return "bobtail";
  return "argonaut";
}

std::string sort_key(const CrushMap& crush, CrushItem id) {
  return id >= 0 ? fmt::format("{}_osd.{:08}", crush.class_of(id), id) : "_" + crush.item_name(id);
}

/// Walks one tree, depth first.
class Walk {
 public:
  Walk(const CrushMap& crush, const TreeOptions& options) : crush_(crush), options_(options) {}

  void visit(CrushItem id, CrushItem parent, int depth, CrushWeight weight) {
    TreeNode node{id, parent, depth, weight, {}};
    std::map<std::string, std::pair<CrushItem, CrushWeight>> sorted;
    if (const CrushBucket* b = crush_.bucket(id))
      for (size_t i = 0; i < b->items.size(); i++)
        if (wanted(b->items[i]))
          sorted[sort_key(crush_, b->items[i])] = {b->items[i], b->weights[i]};
    for (auto it = sorted.rbegin(); it != sorted.rend(); ++it)
      node.children.push_back(it->second.first);
    out.push_back(std::move(node));
    for (const auto& [key, child] : sorted) visit(child.first, id, depth + 1, child.second);
  }

  bool wanted(CrushItem id) {
    if (!options_.selects) return true;
    auto [it, fresh] = wanted_.try_emplace(id, false);
    if (fresh) {
      const auto devices = crush_.devices_under(id);
      it->second = std::any_of(devices.begin(), devices.end(), options_.selects);
    }
    return it->second;
  }

  std::vector<TreeNode> out;

 private:
  const CrushMap& crush_;
  const TreeOptions& options_;
  std::map<CrushItem, bool> wanted_;
};

json::object dump_pool_weights(const CrushMap& crush, const TreeNode& node,
                               const std::map<int64_t, std::string>& pool_names) {
  json::object out;
  for (const auto& [key, args] : crush.choose_args) {
    auto set = args.find(node.parent);
    const CrushBucket* parent = crush.bucket(node.parent);
    if (set == args.end() || !parent) continue;
    auto name = pool_names.find(key);
    const size_t at = *parent->index_of(node.id);
    json::array weights;
    for (const auto& position : set->second.positions)
      weights.push_back(crush_weight_to_double(position[at]));
    out[key == kDefaultChooseArgs  ? "(compat)"
        : name == pool_names.end() ? std::to_string(key)
                                   : name->second] = std::move(weights);
  }
  return out;
}

}  // namespace

// ---- trees --------------------------------------------------------------------------------------

std::vector<TreeNode> crush_tree(const CrushMap& crush, const TreeOptions& options) {
  Walk walk(crush, options);
  std::set<CrushItem> roots = crush.roots(options.with_shadow);
  if (options.root) roots = {*options.root};
  for (CrushItem root : roots) {
    if (!walk.wanted(root)) continue;
    const CrushBucket* b = crush.bucket(root);
    walk.visit(root, 0, 0, b ? b->weight : crush.item_weight(root));
  }
  return std::move(walk.out);
}

std::optional<double> choose_args_weight(const CrushMap& crush, int64_t key, const TreeNode& node) {
  const CrushBucket* parent = crush.bucket(node.parent);
  if (!parent) return {};
  const auto& args = crush.choose_args.at(key);
  auto set = args.find(node.parent);
  if (set == args.end() || set->second.positions.empty()) return {};
  return crush_weight_to_double(set->second.positions[0][*parent->index_of(node.id)]);
}

json::object dump_tree_node(const CrushMap& crush, const TreeNode& node,
                            const std::map<int64_t, std::string>& pool_names) {
  json::object out{{"id", node.id}};
  const std::string device_class = crush.class_of(node.id);
  if (!device_class.empty()) out["device_class"] = device_class;
  const int type = crush.item_type(node.id);
  out["name"] = node.id < 0 ? crush.item_name(node.id) : fmt::format("osd.{}", node.id);
  out["type"] = crush.type_name(type);
  out["type_id"] = type;
  if (node.id >= 0) {
    out["crush_weight"] = crush_weight_to_double(node.weight);
    out["depth"] = node.depth;
  }
  if (node.parent < 0) out["pool_weights"] = dump_pool_weights(crush, node, pool_names);
  return out;
}

void dump_tree_children(const TreeNode& node, json::object& out) {
  if (node.id < 0) out["children"] = json::array(node.children.begin(), node.children.end());
}

std::string tree_name_text(const CrushMap& crush, const TreeNode& node) {
  const std::string indent(static_cast<size_t>(node.depth) * 4, ' ');
  if (node.id >= 0) return fmt::format("{}osd.{}", indent, node.id);
  return fmt::format("{}{} {}", indent, crush.type_name(crush.item_type(node.id)),
                     crush.item_name(node.id));
}

std::string tree_weight_text(double weight) {
  if (weight < -0.01) return "-";
  if (weight < 0.000001) return "0";
  return fmt::format("{:.5f}", weight);
}

std::string tree_weight_text(CrushWeight weight) {
  return tree_weight_text(crush_weight_to_double(weight));
}

// ---- dumps --------------------------------------------------------------------------------------

CrushFeatures crush_features(const CrushMap& crush) {
  CrushFeatures f;
  for (const auto& rule : crush.rules) {
    if (!rule) continue;
    for (const auto& step : rule->steps) {
      switch (step.op) {
        case CrushOp::kChooseIndep:
        case CrushOp::kChooseleafIndep:
        case CrushOp::kSetChooseTries:
        case CrushOp::kSetChooseleafTries:
          f.v2_rules = true;
          break;
        case CrushOp::kSetChooseleafVaryR:
          f.v3_rules = true;
          break;
        case CrushOp::kSetChooseleafStable:
          f.v5_rules = true;
          break;
        default:
          break;
      }
    }
  }
  for (const auto& b : crush.buckets) f.v4_buckets |= b && b->alg == BucketAlg::kStraw2;
  const auto& t = crush.tunables;
  f.tunables =
      t.choose_local_tries != 2 || t.choose_local_fallback_tries != 5 || t.choose_total_tries != 19;
  f.tunables2 = t.chooseleaf_descend_once != 0;
  f.tunables3 = t.chooseleaf_vary_r != 0;
  f.tunables5 = t.chooseleaf_stable != 0;
  f.choose_args = !crush.choose_args.empty();
  return f;
}

json::object dump_crush_tunables(const CrushMap& crush) {
  const auto& t = crush.tunables;
  const CrushFeatures f = crush_features(crush);
  const std::string profile = profile_name(crush);
  return {{"choose_local_tries", t.choose_local_tries},
          {"choose_local_fallback_tries", t.choose_local_fallback_tries},
          {"choose_total_tries", t.choose_total_tries},
          {"chooseleaf_descend_once", t.chooseleaf_descend_once},
          {"chooseleaf_vary_r", t.chooseleaf_vary_r},
          {"chooseleaf_stable", t.chooseleaf_stable},
          {"straw_calc_version", t.straw_calc_version},
          {"allowed_bucket_algs", t.allowed_bucket_algs},
          {"profile", profile},
          {"optimal_tunables", profile == "jewel" ? 1 : 0},
          {"legacy_tunables", profile == "argonaut" ? 1 : 0},
          {"minimum_required_version", minimum_version(f)},
          {"require_feature_tunables", f.tunables ? 1 : 0},
          {"require_feature_tunables2", f.tunables2 ? 1 : 0},
          {"has_v2_rules", f.v2_rules ? 1 : 0},
          {"require_feature_tunables3", f.tunables3 ? 1 : 0},
          {"has_v3_rules", f.v3_rules ? 1 : 0},
          {"has_v4_buckets", f.v4_buckets ? 1 : 0},
          {"require_feature_tunables5", f.tunables5 ? 1 : 0},
          {"has_v5_rules", f.v5_rules ? 1 : 0}};
}

json::object dump_crush_rule(const CrushMap& crush, int id) {
  const CrushRule* rule = crush.rule(id);
  if (!rule) return {};
  json::array steps;
  for (const auto& step : rule->steps) steps.push_back(dump_step(crush, step));
  return {{"rule_id", id},
          {"rule_name", crush.rule_name(id)},
          {"ruleset", rule->ruleset},
          {"type", rule->type},
          {"min_size", rule->min_size},
          {"max_size", rule->max_size},
          {"steps", std::move(steps)}};
}

json::array dump_crush_rules(const CrushMap& crush) {
  json::array out;
  for (size_t id = 0; id < crush.rules.size(); id++)
    if (crush.rules[id]) out.push_back(dump_crush_rule(crush, static_cast<int>(id)));
  return out;
}

json::object dump_choose_args(const CrushMap& crush) {
  json::object out;
  for (const auto& [key, args] : crush.choose_args) {
    json::array buckets;
    for (auto it = args.rbegin(); it != args.rend(); ++it) {
      json::object bucket{{"bucket_id", it->first}};
      if (!it->second.positions.empty()) {
        json::array positions;
        for (const auto& position : it->second.positions) {
          json::array weights;
          for (CrushWeight w : position) weights.push_back(crush_weight_to_double(w));
          positions.push_back(std::move(weights));
        }
        bucket["weight_set"] = std::move(positions);
      }
      if (!it->second.ids.empty())
        bucket["ids"] = json::array(it->second.ids.begin(), it->second.ids.end());
      buckets.push_back(std::move(bucket));
    }
    out[std::to_string(key)] = std::move(buckets);
  }
  return out;
}

json::object dump_crush(const CrushMap& crush) {
  json::array devices, types, buckets;
  for (int id = 0; id < crush.max_devices; id++) {
    const std::string name = crush.item_name(id), device_class = crush.class_of(id);
    json::object device{{"id", id}, {"name", name.empty() ? fmt::format("device{}", id) : name}};
    if (!device_class.empty()) device["class"] = device_class;
    devices.push_back(std::move(device));
  }
  for (const auto& [id, name] : crush.type_names)
    types.push_back(json::object{{"type_id", id}, {"name", name}});
  for (const auto& b : crush.buckets)
    if (b) buckets.push_back(dump_bucket(crush, *b));
  return {{"devices", std::move(devices)},          {"types", std::move(types)},
          {"buckets", std::move(buckets)},          {"rules", dump_crush_rules(crush)},
          {"tunables", dump_crush_tunables(crush)}, {"choose_args", dump_choose_args(crush)}};
}

}  // namespace plimsoll::map
