// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/bench/mover/synth_files.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <filesystem>
#include <fstream>

#include "common/map/crush_dump.h"
#include "common/map/osd_map_dump.h"
#include "common/map/pg_stats.h"

namespace plimsoll::mover {

namespace {

std::ofstream open_for_writing(const std::string& path) {
  std::ofstream out(path, std::ios::binary);
  out.exceptions(std::ios::failbit | std::ios::badbit);
  return out;
}

/// Row by row: a million PGs as one JSON value would take gigabytes.
void write_pgs(const Dump& dump, const std::string& path) {
  std::ofstream out = open_for_writing(path);
  out << "{\"pg_ready\":true,\"pg_stats\":[";
  const char* comma = "";
  for (const PgReport& r : dump.pgs) {
    boost::json::array members;
    for (uint32_t i = 0; i < r.num_acting; i++) members.push_back(dump.acting[r.first_acting + i]);
    const boost::json::value row{{"pgid", r.pgid.to_string()},
                                 {"state", map::pg_state_text(r.state)},
                                 {"stat_sum",
                                  {{"num_bytes", r.num_bytes},
                                   {"num_objects", r.num_objects},
                                   {"num_objects_degraded", 0},
                                   {"num_objects_unfound", 0},
                                   {"num_omap_bytes", r.num_omap_bytes}}},
                                 {"up", members},
                                 {"acting", members}};
    out << comma << row << '\n';
    comma = ",";
  }
  out << "]}\n";
}

void write_osd_df(const Dump& dump, const std::string& path) {
  std::ofstream out = open_for_writing(path);
  boost::json::array nodes;
  for (const auto& [osd, r] : dump.osds)
    nodes.push_back(
        {{"id", osd},
         {"device_class", dump.map.crush->class_of(osd)},
         {"name", fmt::format("osd.{}", osd)},
         {"type", "osd"},
         {"crush_weight", map::crush_weight_to_double(dump.map.crush->item_weight(osd))},
         {"reweight", map::crush_weight_to_double(dump.map.weight(osd))},
         {"kb", r.size >> 10},
         {"kb_used", r.used >> 10},
         {"kb_used_data", r.used_data >> 10},
         {"kb_used_omap", r.used_omap >> 10},
         {"kb_used_meta", r.used_meta >> 10},
         {"kb_avail", (r.size > r.used ? r.size - r.used : 0) >> 10},
         {"utilization", 100.0 * static_cast<double>(r.used) / static_cast<double>(r.size)},
         {"status", dump.map.is_up(osd) ? "up" : "down"}});
  out << boost::json::value{{"nodes", nodes}, {"stray", boost::json::array()}} << '\n';
}

}  // namespace

void write_dump(const Dump& dump, const std::string& directory) {
  std::filesystem::create_directories(directory);
  open_for_writing(directory + "/osd_dump.json") << map::dump_osd_map(dump.map) << '\n';
  open_for_writing(directory + "/crush_dump.json") << map::dump_crush(*dump.map.crush) << '\n';
  write_pgs(dump, directory + "/pg_dump.json");
  write_osd_df(dump, directory + "/osd_df.json");
}

void write_osd_map(const map::OSDMap& map, const std::string& path) {
  ByteWriter w;
  encode(map, w);
  open_for_writing(path) << w.view();
}

}  // namespace plimsoll::mover
