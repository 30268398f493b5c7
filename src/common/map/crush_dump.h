// SPDX-License-Identifier: LGPL-2.1-or-later
// The CRUSH map as `osd crush dump`, `rule dump` and `show-tunables` print it, and the walk behind
// every tree output (`osd tree`, `osd crush tree`, `osd df tree`).
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/map/crush_map.h"

namespace plimsoll::map {

/// One line of a tree, in print order.
struct TreeNode {
  CrushItem id = 0;
  CrushItem parent = 0;  ///< 0 for roots
  int depth = 0;
  CrushWeight weight = 0;
  std::vector<CrushItem> children;  ///< last first, as Ceph lists them
};
struct TreeOptions {
  bool with_shadow = false;
  /// Leaves out devices that this refuses, and buckets without any that it accepts.
  std::function<bool(CrushItem device)> selects;
  /// The subtree of one item instead of all roots.
  std::optional<CrushItem> root;
};
/// Roots ascending by id; children by class, then by number or name.
std::vector<TreeNode> crush_tree(const CrushMap& crush, const TreeOptions& options = {});

/// What every tree node has: "id", "device_class", "name", "type", "type_id", a device's
/// "crush_weight" and "depth", and "pool_weights" by pool names (that of -1 is "(compat)").
boost::json::object dump_tree_node(const CrushMap& crush, const TreeNode& node,
                                   const std::map<int64_t, std::string>& pool_names = {});
/// Adds what ends the node of a bucket.
void dump_tree_children(const TreeNode& node, boost::json::object& out);
/// The "TYPE NAME" cell: indented "root default" or "osd.0".
std::string tree_name_text(const CrushMap& crush, const TreeNode& node);
/// A 16.16 weight in a tree column: "1.00000", "0" for zero.
std::string tree_weight_text(CrushWeight weight);
/// The same for shares and reweights.
std::string tree_weight_text(double weight);

/// `osd crush dump`
boost::json::object dump_crush(const CrushMap& crush);
boost::json::object dump_crush_rule(const CrushMap& crush, int rule_id);
boost::json::array dump_crush_rules(const CrushMap& crush);
/// `osd crush show-tunables`
boost::json::object dump_crush_tunables(const CrushMap& crush);
/// `osd crush weight-set dump`
boost::json::object dump_choose_args(const CrushMap& crush);
/// The item's weight in the first position of a weight set; none where the set does not cover it.
std::optional<double> choose_args_weight(const CrushMap& crush, int64_t key, const TreeNode& node);

/// Which rules and buckets a map uses, by the release that brought them.
struct CrushFeatures {
  bool v2_rules = false, v3_rules = false, v5_rules = false, v4_buckets = false;
  bool tunables = false, tunables2 = false, tunables3 = false, tunables5 = false;
  bool choose_args = false;
};
CrushFeatures crush_features(const CrushMap& crush);

}  // namespace plimsoll::map
