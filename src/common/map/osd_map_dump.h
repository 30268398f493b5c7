// SPDX-License-Identifier: LGPL-2.1-or-later
// How people and scripts see the OSDMap and the CRUSH map: the shapes and texts of `osd dump`,
// `osd pool ls detail`, `osd tree`, `osd crush dump|tree|rule dump`. Same keys, order and spelling
// as Ceph 16.2, since scripts parse them.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/array.hpp>
#include <functional>
#include <string>

#include "common/map/osd_map.h"
#include "common/map/text_table.h"

namespace plimsoll::map {

boost::json::object dump_osd_map(const OSDMap& map);
/// `osd dump`, with its final newline.
std::string print_osd_map(const OSDMap& map);

/// One element of "pools" in `osd dump`; `id_key` is "pool" there and "pool_id" in `pool ls detail`.
boost::json::object dump_pool(const OSDMap& map, PoolId id, const char* id_key = "pool");
/// "pool 2 'data' replicated size 3 ..." without newline.
std::string print_pool(const OSDMap& map, PoolId id);
boost::json::array dump_pools_detail(const OSDMap& map);
std::string print_pools_detail(const OSDMap& map);

/// {"addrvec":[{"type":"v2","addr":"127.0.0.1:6800","nonce":1}]}
boost::json::object dump_addrvec(const EntityAddrVec& addrs);

// ---- trees ----------------------------------------------------------------------------------------

/// Selects OSDs for `osd tree up|down|in|out|destroyed`; none set selects all.
struct TreeFilter {
  bool up = false, down = false, in = false, out = false, destroyed = false;
  bool selects_all() const { return !(up || down || in || out || destroyed); }
};
/// One line of a tree, in print order.
struct TreeNode {
  CrushItem id = 0;
  CrushItem parent = 0;  ///< 0 for roots
  int depth = 0;
  double weight = 0;
  std::vector<CrushItem> children;
};
/// Walks all roots (or the subtree of `root` when given) as Ceph orders them: children by class, then
/// by name or id. Filtered: buckets without a selected OSD are left out.
std::vector<TreeNode> crush_tree(const CrushMap& crush, bool with_shadow = false,
                                 const std::function<bool(OsdId)>& selects = {},
                                 std::optional<CrushItem> root = {});
/// OSDs that exist but hang nowhere in the CRUSH map.
std::vector<OsdId> stray_osds(const OSDMap& map);
/// The keys that every tree node has ("id", "device_class", "name", "type", "type_id", ...).
boost::json::object dump_tree_node(const CrushMap& crush, const TreeNode& node);

boost::json::object dump_osd_tree(const OSDMap& map, const TreeFilter& filter = {},
                                  std::optional<CrushItem> root = {});
std::string print_osd_tree(const OSDMap& map, const TreeFilter& filter = {},
                           std::optional<CrushItem> root = {});
boost::json::object dump_crush_tree(const CrushMap& crush, bool with_shadow);
std::string print_crush_tree(const CrushMap& crush, bool with_shadow);

// ---- CRUSH ----------------------------------------------------------------------------------------

/// `osd crush dump`
boost::json::object dump_crush(const CrushMap& crush);
boost::json::object dump_crush_rule(const CrushMap& crush, int rule_id);
boost::json::array dump_crush_rules(const CrushMap& crush);
/// `osd crush show-tunables`
boost::json::object dump_crush_tunables(const CrushMap& crush);
/// Release name that a client must have for this CRUSH map ("jewel").
const char* crush_min_required_version(const CrushMap& crush);
/// "pacific" for 16; "unknown" beyond the table.
const char* release_name(uint8_t release);
/// 0 for an unknown name.
uint8_t release_from(std::string_view name);
/// Release that clients need for the features this map uses: `min_compat_client` of `osd dump`.
uint8_t min_compat_client(const OSDMap& map);

}  // namespace plimsoll::map
