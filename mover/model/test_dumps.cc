// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/test_dumps.h"

#include <boost/json/serialize.hpp>

#include "common/map/osd_map_dump.h"
#include "mover/model/dump_reader.h"

namespace plimsoll::mover {

TestCluster TestCluster::make(const map::ClusterShape& shape, int64_t bytes_per_pg) {
  TestCluster c;
  c.map = map::make_cluster(shape);
  for (OsdId osd : c.map.osds()) {
    auto& s = c.stats.osds[osd];
    s.osd = osd;
    s.statfs.total = s.statfs.available = 1 << 30;
  }
  for (PgId pg : c.map.all_pgs()) {
    const auto mapping = c.map.map_pg(pg);
    auto& s = c.stats.pgs[pg];
    s.pgid = pg;
    s.state = map::kPgActive | map::kPgClean;
    s.stats.num_bytes = bytes_per_pg;
    s.stats.num_objects = bytes_per_pg / 10;
    s.up = mapping.up;
    s.acting = mapping.acting;
    for (OsdId osd : s.acting) {
      c.stats.osds[osd].statfs.available -= static_cast<uint64_t>(bytes_per_pg);
      c.stats.osds[osd].statfs.allocated += bytes_per_pg;
    }
  }
  return c;
}

std::string TestCluster::osd_dump() const {
  return boost::json::serialize(map::dump_osd_map(map));
}
std::string TestCluster::crush_dump() const {
  return boost::json::serialize(map::dump_crush(*map.crush));
}
std::string TestCluster::pg_dump(std::string_view what) const {
  return boost::json::serialize(map::dump_pg_map(stats, what));
}

Result<Dump> read_documents(const std::string& osd_dump, const std::string& crush_dump,
                            const std::string& pg_dump, const std::string& osd_df) {
  DumpReader reader;
  MemorySource osds(osd_dump), crush(crush_dump), pgs(pg_dump), df(osd_df);
  TRY_VOID(reader.osd_dump(osds));
  TRY_VOID(reader.crush_dump(crush));
  TRY_VOID(reader.pg_dump(pgs));
  if (!osd_df.empty()) TRY_VOID(reader.osd_df(df));
  return reader.finish();
}

Dump dump_of(const TestCluster& c) {
  auto dump = read_documents(c.osd_dump(), c.crush_dump(), c.pg_dump());
  CHECK_NOTE(dump, dump ? "" : dump.error().text().c_str());
  return std::move(*dump);
}

}  // namespace plimsoll::mover
