// SPDX-License-Identifier: LGPL-2.1-or-later
// How people and scripts see the OSDMap: the shapes and texts of `osd dump`, `osd pool ls detail`
// and `osd tree`. Same keys, order and spelling as Ceph 16.2, since scripts parse them. The CRUSH
// map alone is in crush_dump.h.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "common/map/crush_dump.h"
#include "common/map/osd_map.h"

namespace plimsoll::map {

boost::json::object dump_osd_map(const OSDMap& map);
/// `osd dump`
std::string print_osd_map(const OSDMap& map);

/// One element of "pools" in `osd dump`; `id_key` is "pool" there and "pool_id" in `pool ls
/// detail`.
boost::json::object dump_pool(const OSDMap& map, PoolId id, const char* id_key = "pool");
/// "pool 2 'data' replicated size 3 ..." without newline.
std::string print_pool(const OSDMap& map, PoolId id);
boost::json::array dump_pools_detail(const OSDMap& map);
std::string print_pools_detail(const OSDMap& map);

/// {"addrvec":[{"type":"v2","addr":"127.0.0.1:6800","nonce":1}]}
boost::json::object dump_addrvec(const EntityAddrVec& addrs);
/// {"type":"any","addr":"192.0.2.1:0","nonce":1}
boost::json::object dump_addr(const EntityAddr& addr);
/// `dump_blocklist`: [{"entity_addr_t":{..},"expire_time":".."}]
boost::json::array dump_blocklist(const OSDMap& map);
/// "v2:127.0.0.1:6800/1", "[v2:...,v1:...]" for several, "" for none.
std::string addrvec_text(const EntityAddrVec& addrs);

/// "pacific" for 16; "unknown" beyond the table.
const char* release_name(uint8_t release);
/// 0 for an unknown name.
uint8_t release_from(std::string_view name);
/// Release that clients need for the features this map uses: `min_compat_client` of `osd dump`.
uint8_t min_compat_client(const OSDMap& map);

/// Selects OSDs for `osd tree up|down|in|out|destroyed`; none set selects all.
struct TreeFilter {
  bool up = false, down = false, in = false, out = false, destroyed = false;
  bool selects_all() const { return !(up || down || in || out || destroyed); }
  bool selects(const OSDMap& map, OsdId osd) const;
};
/// OSDs that exist but hang nowhere in the CRUSH map.
std::vector<OsdId> stray_osds(const OSDMap& map);
/// `osd tree [<states>]`; with `root`, `osd tree-from <root>`.
boost::json::object dump_osd_tree(const OSDMap& map, const TreeFilter& filter = {},
                                  std::optional<CrushItem> root = {});
std::string print_osd_tree(const OSDMap& map, const TreeFilter& filter = {},
                           std::optional<CrushItem> root = {});
/// `osd crush tree [--show-shadow]`
boost::json::object dump_crush_tree(const OSDMap& map, bool with_shadow);
std::string print_crush_tree(const OSDMap& map, bool with_shadow);

}  // namespace plimsoll::map
