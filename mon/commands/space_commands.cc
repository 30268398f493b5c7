// SPDX-License-Identifier: LGPL-2.1-or-later
// df and osd df: who has how much room.
#include <fmt/format.h>

#include "common/base/size_text.h"
#include "common/base/text_table.h"
#include "mon/commands/osd_df.h"
#include "mon/commands/support.h"
#include "mon/space.h"

namespace plimsoll::mon {
namespace {


/// "7.09"; Ceph prints nothing after the point for a plain zero.
std::string percent_text(double ratio) {
  const std::string text = command::fixed(ratio * 100, 2);
  return text == "0.00" ? "0" : text;
}

json::object dump_space(const map::StoreStatfs& s) {
  const uint64_t used = s.used_raw();
  return {{"total_bytes", s.total},
          {"total_avail_bytes", s.available},
          {"total_used_bytes", used},
          {"total_used_raw_bytes", used},
          {"total_used_raw_ratio",
           s.total ? static_cast<double>(used) / static_cast<double>(s.total) : 0.0}};
}

std::map<std::string, map::StoreStatfs> space_by_class(const CommandContext& c) {
  std::map<std::string, map::StoreStatfs> out;
  for (const auto& [osd, s] : c.services.stats.pg_map().osds) {
    const std::string name = c.services.osd.map().crush->class_of(osd);
    if (!name.empty()) out[name] += s.statfs;
  }
  return out;
}

json::object dump_pool(const PoolSpace& s, const map::PgPool& p, bool detail) {
  json::object o{{"stored", s.stored}};
  if (detail) {
    o["stored_data"] = s.stored_data;
    o["stored_omap"] = s.stored_omap;
  }
  o["objects"] = s.objects;
  o["kb_used"] = (s.used + 1023) >> 10;
  o["bytes_used"] = s.used;
  if (detail) {
    o["data_bytes_used"] = s.used_data;
    o["omap_bytes_used"] = s.used_omap;
  }
  o["percent_used"] = s.percent_used;
  o["max_avail"] = s.max_avail;
  if (!detail) return o;
  o["quota_objects"] = p.quota_max_objects;
  o["quota_bytes"] = p.quota_max_bytes;
  // Only cache tiers count dirty objects.
  o["dirty"] = 0;
  o["rd"] = s.stats.num_read;
  o["rd_bytes"] = s.stats.num_read_kb << 10;
  o["wr"] = s.stats.num_write;
  o["wr_bytes"] = s.stats.num_write_kb << 10;
  o["compress_bytes_used"] = 0;
  o["compress_under_bytes"] = 0;
  o["stored_raw"] = s.stored_raw;
  o["avail_raw"] = s.avail_raw;
  return o;
}

std::vector<std::string> pool_row(const std::string& name, PoolId id, const PoolSpace& s,
                                  const map::PgPool& p, bool detail) {
  std::vector<std::string> row{name, std::to_string(id), std::to_string(p.pg_num),
                               bytes_text(s.stored)};
  if (detail) row.insert(row.end(), {bytes_text(s.stored_data), bytes_text(s.stored_omap)});
  row.push_back(si_text(static_cast<uint64_t>(s.objects)));
  row.push_back(bytes_text(s.used));
  if (detail) row.insert(row.end(), {bytes_text(s.used_data), bytes_text(s.used_omap)});
  row.push_back(percent_text(s.percent_used));
  row.push_back(bytes_text(s.max_avail));
  if (!detail) return row;
  row.push_back(p.quota_max_objects ? si_text(p.quota_max_objects) : "N/A");
  row.push_back(p.quota_max_bytes ? bytes_text(p.quota_max_bytes) : "N/A");
  row.insert(row.end(), {"N/A", "0 B", "0 B"});
  return row;
}

TextTable pool_table(bool detail) {
  TextTable t;
  t.column("POOL", Align::kLeft, Align::kLeft);
  std::vector<const char*> names{"ID", "PGS", "STORED"};
  if (detail) names.insert(names.end(), {"(DATA)", "(OMAP)"});
  names.insert(names.end(), {"OBJECTS", "USED"});
  if (detail) names.insert(names.end(), {"(DATA)", "(OMAP)"});
  names.insert(names.end(), {"%USED", "MAX AVAIL"});
  if (detail)
    names.insert(names.end(),
                 {"QUOTA OBJECTS", "QUOTA BYTES", "DIRTY", "USED COMPR", "UNDER COMPR"});
  for (const char* name : names) t.column(name, Align::kRight, Align::kRight);
  return t;
}

CommandReply df(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const map::PgMap& pgs = c.services.stats.pg_map();
  const bool detail = a.opt_str("detail") == "detail";
  const map::StoreStatfs total = pgs.osd_sum().statfs;
  const auto classes = space_by_class(c);

  TextTable raw;
  raw.column("CLASS", Align::kLeft, Align::kLeft);
  for (const char* name : {"SIZE", "AVAIL", "USED", "RAW USED", "%RAW USED"})
    raw.column(name, Align::kRight, Align::kRight);
  const auto raw_row = [&raw](const std::string& name, const map::StoreStatfs& s) {
    const std::string used = bytes_text(s.used_raw());
    const double ratio =
        s.total ? static_cast<double>(s.used_raw()) / static_cast<double>(s.total) : 0;
    raw.row({name, bytes_text(s.total), bytes_text(s.available), used, used, percent_text(ratio)});
  };
  json::object by_class;
  for (const auto& [name, s] : classes) {
    by_class[name] = dump_space(s);
    raw_row(name, s);
  }
  raw_row("TOTAL", total);

  json::object stats = dump_space(total);
  stats["num_osds"] = m.num_osds();
  stats["num_per_pool_osds"] = m.num_osds();
  stats["num_per_pool_omap_osds"] = m.num_osds();

  json::array pools;
  TextTable table = pool_table(detail);
  const auto sums = pgs.pool_stats();
  for (const auto& [id, p] : m.pools) {
    const auto sum = sums.find(id);
    const PoolSpace s = pool_space(m, pgs, id, sum == sums.end() ? map::PoolStat{} : sum->second);
    pools.push_back(
        json::object{{"name", m.pool_name(id)}, {"id", id}, {"stats", dump_pool(s, p, detail)}});
    table.row(pool_row(m.pool_name(id), id, s, p, detail));
  }
  json::object o{{"stats", std::move(stats)},
                 {"stats_by_class", std::move(by_class)},
                 {"pools", std::move(pools)}};
  return answer(
      a, o, "--- RAW STORAGE ---\n" + raw.to_string() + " \n--- POOLS ---\n" + table.to_string());
}

CommandReply osd_df(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  OsdDfOptions options;
  options.tree = a.opt_str("output_method") == "tree";
  const auto filter_by = a.opt_str("filter_by"), filter = a.opt_str("filter");
  if (filter_by && !filter) return {-EINVAL, "a filter needs a value"};
  if (filter_by == "class") {
    if (!m.crush->find_class(*filter)) return {-EINVAL, "unknown class '" + *filter + "'"};
    options.only_class = *filter;
  } else if (filter_by == "name") {
    const auto item = m.crush->find_item(*filter);
    if (!item) return {-EINVAL, "'" + *filter + "' not a pool, crush node or device class name"};
    options.only_below = *item;
  }
  return answer(a, dump_osd_df(m, c.services.stats.pg_map(), options),
                print_osd_df(m, c.services.stats.pg_map(), options));
}

const CommandRow kRows[] = {
    {"df name=detail,type=CephChoices,strings=detail,req=false",
     "print space of the cluster and its pools", "mon", "r", 0, query(df)},
    {"osd df name=output_method,type=CephChoices,strings=plain|tree,req=false "
     "name=filter_by,type=CephChoices,strings=class|name,req=false "
     "name=filter,type=CephString,req=false",
     "print space by OSD", "osd", "r", 0, query(osd_df)},
};

}  // namespace

void add_space_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
