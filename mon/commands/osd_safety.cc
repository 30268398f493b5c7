// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/osd_safety.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

namespace plimsoll::mon {

namespace json = boost::json;

namespace {

bool contains(const std::vector<OsdId>& osds, OsdId osd) {
  return std::find(osds.begin(), osds.end(), osd) != osds.end();
}

json::array ids(const std::set<OsdId>& osds) {
  json::array out;
  for (OsdId o : osds) out.push_back(o);
  return out;
}

json::array pg_names(const std::vector<PgId>& pgs) {
  json::array out;
  for (const PgId& pg : pgs) out.push_back(json::value(pg.to_string()));
  return out;
}

std::string list(const std::set<OsdId>& osds) {
  std::string text;
  for (OsdId o : osds) text += (text.empty() ? "" : ",") + std::to_string(o);
  return text;
}

}  // namespace

DestroySafety destroy_safety(const Services& s, const std::set<OsdId>& osds) {
  DestroySafety out;
  const map::OSDMap& map = s.osd.map();
  const map::PgMap& pgs = s.stats.pg_map();
  for (const auto& [_, pg] : pgs.pgs) out.unknown_pgs |= pg.state == 0;
  for (OsdId osd : osds) {
    if (!map.exists(osd)) {
      out.safe.insert(osd);
      continue;
    }
    int64_t mapped = 0;
    bool all_clean = true;
    for (const auto& [_, pg] : pgs.pgs) {
      mapped += contains(pg.acting, osd) || contains(pg.up, osd);
      all_clean &= (pg.state & map::kPgActive) && (pg.state & map::kPgClean);
    }
    const auto stat = pgs.osds.find(osd);
    if (mapped) {
      out.num_pgs += mapped;
      out.active.insert(osd);
    } else if (stat == pgs.osds.end()) {
      // Nothing is known of what it holds; only with everything clean it cannot matter.
      (all_clean ? out.safe : out.missing_stats).insert(osd);
    } else if (stat->second.num_pgs && !all_clean) {
      out.stored_pgs.insert(osd);
    } else {
      out.safe.insert(osd);
    }
  }
  return out;
}

std::string DestroySafety::text() const {
  std::string out;
  if (!active.empty())
    out += fmt::format("OSD(s) {} have {} pgs currently mapped to them. ", list(active), num_pgs);
  if (!missing_stats.empty())
    out += fmt::format(
        "OSD(s) {} have no reported stats, and not all PGs are active+clean; we cannot "
        "draw any conclusions. ",
        list(missing_stats));
  if (!stored_pgs.empty())
    out += fmt::format(
        "OSD(s) {} last reported they still store some PG data, and not all PGs are "
        "active+clean; we cannot be sure they aren't still needed. ",
        list(stored_pgs));
  if (unknown_pgs && out.empty())
    out = "some PGs are in an unknown state; wait until all have reported. ";
  return out;
}

json::object DestroySafety::dump() const {
  return {{"safe_to_destroy", ids(safe)},
          {"active", ids(active)},
          {"missing_stats", ids(missing_stats)},
          {"stored_pgs", ids(stored_pgs)}};
}

StopSafety stop_safety(const Services& s, const std::set<OsdId>& osds) {
  StopSafety out;
  out.osds = osds;
  const map::OSDMap& map = s.osd.map();
  for (const auto& [id, pg] : s.stats.pg_map().pgs) {
    const auto hit =
        std::count_if(pg.acting.begin(), pg.acting.end(), [&](OsdId o) { return osds.count(o); });
    const map::PgPool* pool = map.pool(id.pool);
    if (!pool) continue;
    if (!pg.state) {
      out.not_ok.push_back(id);
      out.already_bad.push_back(id);
      continue;
    }
    if (!hit) continue;
    const auto left = std::count_if(pg.acting.begin(), pg.acting.end(),
                                    [&](OsdId o) { return map.is_up(o) && !osds.count(o); });
    if (!(pg.state & map::kPgActive)) {
      out.not_ok.push_back(id);
      out.already_bad.push_back(id);
    } else if (left < pool->min_size) {
      out.not_ok.push_back(id);
      out.inactive.push_back(id);
    } else {
      out.num_ok++;
      out.degraded.push_back(id);
    }
  }
  return out;
}

json::object StopSafety::dump() const {
  json::object o{{"ok_to_stop", ok()},
                 {"osds", ids(osds)},
                 {"num_ok_pgs", num_ok},
                 {"num_not_ok_pgs", static_cast<int64_t>(not_ok.size())}};
  if (!already_bad.empty()) o["bad_already_inactive"] = pg_names(already_bad);
  if (!inactive.empty()) o["bad_become_inactive"] = pg_names(inactive);
  if (!degraded.empty()) o["ok_become_degraded"] = pg_names(degraded);
  return o;
}

}  // namespace plimsoll::mon
