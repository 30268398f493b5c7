// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/osd_df.h"

#include <fmt/format.h>

#include <cmath>

#include "common/base/size_text.h"
#include "common/command/format.h"
#include "common/base/text_table.h"
#include "common/map/crush_dump.h"
#include "common/map/osd_map_dump.h"

namespace plimsoll::mon {

namespace json = boost::json;

namespace {

/// Use of one OSD or of all below a bucket, in KiB.
struct Use {
  uint64_t kb = 0, used = 0, data = 0, omap = 0, meta = 0, avail = 0;
  uint64_t pgs = 0;

  Use& operator+=(const Use& o) {
    kb += o.kb, used += o.used, data += o.data, omap += o.omap, meta += o.meta, avail += o.avail,
        pgs += o.pgs;
    return *this;
  }
  double percent() const {
    return kb ? 100.0 * static_cast<double>(used) / static_cast<double>(kb) : 0;
  }
};

struct Row {
  map::TreeNode node;
  Use use;
};

class Report {
 public:
  Report(const map::OSDMap& map, const map::PgMap& pgs, const OsdDfOptions& options)
      : map_(map), pgs_(pgs), options_(options), counts_(pgs.count_by_osd()) {
    collect();
  }

  json::object dump() const;
  std::string print() const;

 private:
  bool selects(OsdId osd) const;
  Use use_of(OsdId osd) const;
  void collect();
  json::object dump_row(const Row& r) const;
  void print_row(const Row& r, TextTable& t) const;
  double variance(double percent) const { return average_ > 0 ? percent / average_ : 0; }

  const map::OSDMap& map_;
  const map::PgMap& pgs_;
  const OsdDfOptions& options_;
  std::map<OsdId, map::PgMap::OsdPgCount> counts_;
  std::vector<Row> rows_;
  Use total_;
  double average_ = 0, min_var_ = 0, max_var_ = 0, deviation_ = 0;
};

bool Report::selects(OsdId osd) const {
  if (!options_.only_class.empty() && map_.crush->class_of(osd) != options_.only_class)
    return false;
  return !options_.only_below || map_.crush->subtree_contains(*options_.only_below, osd);
}

Use Report::use_of(OsdId osd) const {
  Use u;
  const auto stat = pgs_.osds.find(osd);
  if (stat != pgs_.osds.end()) {
    const map::StoreStatfs& s = stat->second.statfs;
    const auto kib = [](int64_t n) { return static_cast<uint64_t>(std::max<int64_t>(0, n)) >> 10; };
    u.kb = s.total >> 10;
    u.used = s.used_raw() >> 10;
    u.avail = s.available >> 10;
    u.data = kib(s.allocated);
    u.omap = kib(s.omap_allocated);
    u.meta = kib(s.internal_metadata);
  }
  const auto count = counts_.find(osd);
  // A down OSD serves none.
  if (count != counts_.end() && map_.is_up(osd)) u.pgs = count->second.acting;
  return u;
}

void Report::collect() {
  std::map<map::CrushItem, Use> uses;
  std::vector<double> shares;
  map::TreeOptions walk;
  // A filter also leaves out empty buckets; without one they are shown.
  if (!options_.only_class.empty() || options_.only_below)
    walk.selects = [this](OsdId osd) { return selects(osd); };
  for (const map::TreeNode& node : map::crush_tree(*map_.crush, walk)) {
    if (node.id < 0) {
      Use sum;
      for (OsdId osd : map_.crush->devices_under(node.id))
        if (selects(osd)) sum += use_of(osd);
      sum.pgs = 0;
      if (options_.tree) rows_.push_back({node, sum});
      continue;
    }
    if (!map_.exists(node.id)) continue;
    const Use u = use_of(node.id);
    rows_.push_back({node, u});
    if (!uses.emplace(node.id, u).second) continue;
    total_ += u;
  }
  average_ = total_.percent();
  bool first = true;
  double squares = 0;
  size_t n = 0;
  for (const auto& [osd, u] : uses) {
    if (!u.kb || map_.is_out(osd)) continue;
    const double var = variance(u.percent());
    min_var_ = first ? var : std::min(min_var_, var);
    max_var_ = first ? var : std::max(max_var_, var);
    first = false;
    squares += (u.percent() - average_) * (u.percent() - average_);
    n++;
  }
  deviation_ = n ? std::sqrt(squares / static_cast<double>(n)) : 0;
}

void put_use(json::object& o, const Use& u, const std::string& prefix) {
  o[prefix + "kb"] = u.kb;
  o[prefix + "kb_used"] = u.used;
  o[prefix + "kb_used_data"] = u.data;
  o[prefix + "kb_used_omap"] = u.omap;
  o[prefix + "kb_used_meta"] = u.meta;
  o[prefix + "kb_avail"] = u.avail;
}

json::object Report::dump_row(const Row& r) const {
  json::object o = map::dump_tree_node(*map_.crush, r.node);
  o.erase("children");
  const bool is_osd = r.node.id >= 0;
  o["reweight"] =
      is_osd ? json::value(map_.weight(r.node.id) / double{map::kOsdIn}) : json::value(-1);
  put_use(o, r.use, "");
  o["utilization"] = r.use.percent();
  o["var"] = variance(r.use.percent());
  o["pgs"] = r.use.pgs;
  if (is_osd) o["status"] = map_.is_up(r.node.id) ? "up" : "down";
  if (is_osd) return o;
  map::dump_tree_children(r.node, o);
  return o;
}

json::object Report::dump() const {
  json::array nodes;
  for (const Row& r : rows_) nodes.push_back(dump_row(r));
  json::object summary;
  put_use(summary, total_, "total_");
  summary["average_utilization"] = average_;
  summary["min_var"] = min_var_;
  summary["max_var"] = max_var_;
  summary["dev"] = deviation_;
  return {{"nodes", std::move(nodes)}, {"stray", json::array()}, {"summary", std::move(summary)}};
}

void Report::print_row(const Row& r, TextTable& t) const {
  const bool is_osd = r.node.id >= 0;
  const Use& u = r.use;
  std::vector<std::string> cells{std::to_string(r.node.id),
                                 is_osd ? map_.crush->class_of(r.node.id) : "",
                                 map::tree_weight_text(r.node.weight),
                                 is_osd ? map::tree_weight_text(map_.weight(r.node.id)) : "-"};
  for (uint64_t kb : {u.kb, u.used, u.data, u.omap, u.meta, u.avail})
    cells.push_back(bytes_text(kb << 10));
  cells.push_back(command::fixed(u.percent(), 2));
  cells.push_back(command::fixed(variance(u.percent()), 2));
  cells.push_back(is_osd ? std::to_string(u.pgs) : "-");
  cells.push_back(is_osd ? (map_.is_up(r.node.id) ? "up" : "down") : "");
  if (options_.tree) cells.push_back(map::tree_name_text(*map_.crush, r.node));
  t.row(std::move(cells));
}

std::string Report::print() const {
  TextTable t;
  t.column("ID", Align::kLeft, Align::kRight);
  for (const char* name : {"CLASS", "WEIGHT", "REWEIGHT", "SIZE", "RAW USE", "DATA", "OMAP", "META",
                           "AVAIL", "%USE", "VAR", "PGS", "STATUS"})
    t.column(name, Align::kLeft, Align::kRight);
  if (options_.tree) t.column("TYPE NAME", Align::kLeft, Align::kLeft);
  for (const Row& r : rows_) print_row(r, t);
  std::vector<std::string> sum{"", "", "", "TOTAL"};
  for (uint64_t kb : {total_.kb, total_.used, total_.data, total_.omap, total_.meta, total_.avail})
    sum.push_back(bytes_text(kb << 10));
  sum.push_back(command::fixed(average_, 2));
  t.row(std::move(sum));
  const std::string deviation = command::fixed(deviation_, 2);
  return t.to_string() + fmt::format("MIN/MAX VAR: {}/{}  STDDEV: {}\n",
                                     command::fixed(min_var_, 2), command::fixed(max_var_, 2),
                                     deviation == "0.00" ? "0" : deviation);
}

}  // namespace

json::object dump_osd_df(const map::OSDMap& map, const map::PgMap& pgs,
                         const OsdDfOptions& options) {
  return Report(map, pgs, options).dump();
}

std::string print_osd_df(const map::OSDMap& map, const map::PgMap& pgs,
                         const OsdDfOptions& options) {
  return Report(map, pgs, options).print();
}

}  // namespace plimsoll::mon
