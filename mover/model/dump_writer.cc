// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/dump_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "common/command/format.h"
#include "common/map/crush_dump.h"
#include "common/map/pg_stats.h"
#include "mover/model/osd_map_json.h"

namespace plimsoll::mover {

namespace json = boost::json;

namespace {

constexpr size_t kChunk = 256 << 10;

/// Text that goes out in pieces, so that a large dump is never whole in memory.
class Output {
 public:
  explicit Output(ByteSink& sink) : sink_(sink) {}
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    if (text_.size() > kChunk) flush();
  }
  Result<> finish() {
    flush();
    return result_;
  }

 private:
  void flush() {
    if (result_) result_ = sink_.write(text_);
    text_.clear();
  }
  ByteSink& sink_;
  std::string text_;
  Result<> result_;
};

std::string compact(const json::value& v) {
  return command::print(v, command::Format::kJson);
}

void add_pgs(const Dump& dump, Output& out) {
  const char* separator = "";
  for (const PgReport& r : dump.pgs) {
    out.add("{}\n{{\"pgid\":\"{}\",\"state\":\"{}\",", separator, r.pgid.to_string(),
            map::pg_state_text(r.state));
    if (r.has_sizes)
      out.add("\"stat_sum\":{{\"num_bytes\":{},\"num_objects\":{},\"num_omap_bytes\":{}}},",
              r.num_bytes, r.num_objects, r.num_omap_bytes);
    const auto acting = std::span(dump.acting).subspan(r.first_acting, r.num_acting);
    out.add("\"acting\":[{}]}}", fmt::join(acting, ","));
    separator = ",";
  }
}

void add_osds(const Dump& dump, Output& out) {
  const char* separator = "";
  for (const auto& [osd, r] : dump.osds) {
    out.add(
        "{}\n{{\"osd\":{},\"statfs\":{{\"total\":{},\"available\":{},\"allocated\":{},"
        "\"omap_allocated\":{},\"internal_metadata\":{}}},\"used\":{},\"min_alloc_size\":{}",
        separator, osd, r.size, r.size > r.used ? r.size - r.used : 0, r.used_data, r.used_omap,
        r.used_meta, r.used, r.min_alloc_size);
    const char* inner = ",\"pg_allocated\":[";
    for (const auto& [pg, bytes] : r.pg_allocated) {
      out.add("{}{{\"pgid\":\"{}\",\"bytes\":{}}}", inner, pg.to_string(), bytes);
      inner = ",";
    }
    out.add("{}", r.pg_allocated.empty() ? "}" : "]}");
    separator = ",";
  }
}

json::array growth_array(const Dump& dump) {
  json::array out;
  for (const auto& [pool, bytes] : dump.growth_per_day)
    out.push_back(json::object{{"pool", pool}, {"bytes", bytes}});
  return out;
}

}  // namespace

Result<> write_dump(const Dump& dump, ByteSink& sink) {
  Output out(sink);
  out.add("{{\"plimsoll_mover_dump\":1,\n\"release\":{},\n\"osd_dump\":{},\n",
          compact(json::value(dump.release)), compact(slim_osd_dump(dump.map)));
  out.add("\"crush_dump\":{},\n\"pg_dump\":{{\"pg_ready\":true,\"pg_stats\":[",
          compact(map::dump_crush(*dump.map.crush)));
  add_pgs(dump, out);
  out.add("\n],\"osd_stats\":[");
  add_osds(dump, out);
  out.add(
      "\n]}},\n\"cordoned\":{},\n\"growth_per_day\":{},\n\"balancer_active\":{},\n"
      "\"warnings\":{}}}\n",
      compact(json::array(dump.cordoned.begin(), dump.cordoned.end())), compact(growth_array(dump)),
      dump.balancer_active, compact(json::array(dump.warnings.begin(), dump.warnings.end())));
  return out.finish();
}

}  // namespace plimsoll::mover
