// SPDX-License-Identifier: LGPL-2.1-or-later
// Replica check: the stores of stopped OSDs, read as they are on disk. Each must pass fsck, and all
// members of a PG must hold the same objects with the same data, attributes and omap, and the same
// log as far back as all of them have one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "qa/sim/world.h"

namespace plimsoll::sim {

struct CopyOfPg {
  std::map<std::string, std::string> objects;  ///< digests
  std::map<std::string, std::string> log;      ///< digests of its entries, in order
};
using CopyOfStore = std::map<std::string, CopyOfPg>;

/// What the store at `path` of a host that is down holds; what is wrong with it goes to `wrong`.
CopyOfStore read_store(World& world, Host& host, const std::string& path,
                       std::vector<std::string>& wrong);

/// Members of a PG that do not hold the same. `stores` by OSD.
std::vector<std::string> compare_replicas(const map::OSDMap& map, PoolId pool,
                                          const std::map<OsdId, CopyOfStore>& stores);

}  // namespace plimsoll::sim
