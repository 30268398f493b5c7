// SPDX-License-Identifier: LGPL-2.1-or-later
// Clusters as `ceph` prints them, for tests.
#pragma once

#include <string>

#include "common/map/pg_stats.h"
#include "common/map/test_maps.h"
#include "mover/model/dump.h"

namespace plimsoll::mover {

/// What a test makes up, and the documents that a monitor prints of it.
struct TestCluster {
  map::OSDMap map;
  map::PgMap stats;

  /// Every PG active+clean where the map wants it, with `bytes` and a tenth as many objects of 10
  /// bytes; every OSD of 1 GiB with its shards' bytes in use.
  static TestCluster make(const map::ClusterShape& shape, int64_t bytes_per_pg = 1 << 20);
  std::string osd_dump() const;
  std::string crush_dump() const;
  std::string pg_dump(std::string_view what = "all") const;
};

/// Reads documents in the order of a directory.
Result<Dump> read_documents(const std::string& osd_dump, const std::string& crush_dump,
                            const std::string& pg_dump, const std::string& osd_df = "");
/// Must succeed.
Dump dump_of(const TestCluster& cluster);

}  // namespace plimsoll::mover
