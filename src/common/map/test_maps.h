// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps for tests: golden files of real clusters, made-up clusters, and random ones that use every
// field. Linked into tests only.
#pragma once

#include <string>

#include "common/base/rng.h"
#include "common/map/osd_map.h"

namespace plimsoll::map {

/// A file of qa/corpus; tests run in the source tree.
Bytes read_corpus(const std::string& name);

struct ClusterShape {
  int hosts = 3;
  int osds_per_host = 1;
  int hosts_per_rack = 0;  ///< 0: no racks
  int in_hosts = -1;       ///< the rest is out; -1 is all
  int classes = 0;         ///< device classes c0.. dealt out in turn
  uint32_t pg_num = 32;
};
/// Epoch 10, all OSDs up, one replicated pool 1 "data" of size 3 over hosts.
OSDMap make_cluster(const ClusterShape& shape);

/// Adds a pool with the next id that uses `rule`; returns its id.
PoolId add_pool(OSDMap& map, std::string name, uint8_t type, uint8_t size, int rule,
                uint32_t pg_num, uint32_t pgp_num);

/// A cluster with every field of the map in use.
OSDMap random_map(Rng& rng);
/// A step from `map` that uses every field of Incremental now and then.
Incremental random_step(Rng& rng, const OSDMap& map);
/// A CRUSH map of several roots, levels, bucket kinds, classes, rules and weight sets.
CrushMap random_crush(Rng& rng, int devices);

}  // namespace plimsoll::map
