// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/status.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "common/base/size_text.h"
#include "common/command/format.h"
#include "mon/commands/mon_info.h"
#include "mon/commands/rates.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {


namespace {

uint64_t positive(int64_t n) {
  return n > 0 ? static_cast<uint64_t>(n) : 0;
}

json::object dump_osds(const Services& s) {
  const map::OSDMap& m = s.osd.map();
  int64_t remapped = 0;
  for (const auto& [_, pg] : s.stats.pg_map().pgs) remapped += (pg.state & map::kPgRemapped) != 0;
  return {{"epoch", m.epoch},
          {"num_osds", m.num_osds()},
          {"num_up_osds", m.num_up_osds()},
          {"osd_up_since", m.last_up_change.sec},
          {"num_in_osds", m.num_in_osds()},
          {"osd_in_since", m.last_in_change.sec},
          {"num_remapped_pgs", remapped}};
}

json::object dump_pgs(const Services& s) {
  const map::PgMap& pgs = s.stats.pg_map();
  const map::ObjectStats sum = pgs.pg_sum().stats;
  const map::StoreStatfs space = pgs.osd_sum().statfs;
  json::array states;
  for (const auto& [state, n] : pgs.count_by_state())
    states.push_back(json::object{{"state_name", map::pg_state_text(state)}, {"count", n}});
  json::object o{{"pgs_by_state", std::move(states)},     {"num_pgs", pgs.pgs.size()},
                 {"num_pools", s.osd.map().pools.size()}, {"num_objects", sum.num_objects},
                 {"data_bytes", sum.num_bytes},           {"bytes_used", space.used_raw()},
                 {"bytes_avail", space.available},        {"bytes_total", space.total}};
  const map::ObjectStats& rate = s.stats.rate();
  for (const auto& part :
       {dump_recovery_state(sum), dump_recovery_rate(rate), dump_client_rate(rate)})
    for (const auto& kv : part) o[kv.key()] = kv.value();
  return o;
}

// ---- plain
// ----------------------------------------------------------------------------------------

std::string health_block(const Services& s) {
  std::string text = std::string("    health: ") + severity_name(s.health.status()) + "\n";
  for (const auto& [code, check] : s.health.checks())
    if (!s.health.is_muted(code)) text += "            " + check.summary + "\n";
  if (const std::string muted = s.health.mutes_text(); !muted.empty())
    text += "            " + muted + "\n";
  return text;
}

std::string services_block(const Services& s) {
  const map::OSDMap& m = s.osd.map();
  const double now = s.runtime.clock().wall().seconds();
  const auto since = [now](const Utime& t) {
    return t.is_zero() ? std::string() : " (since " + since_text(now - t.seconds()) + ")";
  };
  std::string text =
      fmt::format("    mon: {} daemons, quorum {} (age {})\n", s.monmap.mons.size(),
                  join(s.monmap.ranks, ","), since_text(static_cast<double>(quorum_age(s))));
  const map::MgrMap& mgr = s.mgrmap;
  text += mgr.available ? fmt::format("    mgr: {}(active, since {})\n", mgr.active_name,
                                      since_text(now - mgr.active_change.seconds()))
                        : "    mgr: no daemons active\n";
  text += fmt::format("    osd: {} osds: {} up{}, {} in{}", m.num_osds(), m.num_up_osds(),
                      since(m.last_up_change), m.num_in_osds(), since(m.last_in_change));
  int64_t remapped = 0;
  for (const auto& [_, pg] : s.stats.pg_map().pgs) remapped += (pg.state & map::kPgRemapped) != 0;
  if (remapped) text += fmt::format("; {} remapped pgs", remapped);
  text += "\n";
  const uint32_t flags = m.flags & ~map::kMapBaseFlags;
  if (flags) text += "         flags " + map::osdmap_flags_text(flags) + "\n";
  return text;
}

std::string pg_lines(const map::PgMap& pgs, const map::ObjectStats& sum) {
  std::vector<std::string> lines;
  // Shares of PGs that nobody knows or that do not serve come first.
  uint64_t unknown = 0, inactive = 0;
  const auto states = pgs.count_by_state();
  for (const auto& [state, n] : states) {
    if (!state)
      unknown += n;
    else if (!(state & (map::kPgActive | map::kPgPeered)))
      inactive += n;
  }
  const auto share = [&](uint64_t n) {
    return 100.0 * static_cast<double>(n) / static_cast<double>(pgs.pgs.size());
  };
  if (unknown) lines.push_back(fmt::format("{:.3f}% pgs unknown", share(unknown)));
  if (inactive) lines.push_back(fmt::format("{:.3f}% pgs not active", share(inactive)));
  for (std::string& line : recovery_lines(sum)) lines.push_back(std::move(line));
  size_t width = 0;
  for (const auto& [_, n] : states) width = std::max(width, std::to_string(n).size());
  for (const auto& [state, n] : states)
    lines.push_back(fmt::format("{:<{}} {}", n, width, map::pg_state_text(state)));
  std::string text;
  for (size_t i = 0; i < lines.size(); i++)
    text += (i ? "             " : "    pgs:     ") + lines[i] + "\n";
  return text.empty() ? "    pgs:     \n" : text;
}

std::string data_block(const Services& s) {
  const map::PgMap& pgs = s.stats.pg_map();
  const map::ObjectStats sum = pgs.pg_sum().stats;
  const map::StoreStatfs space = pgs.osd_sum().statfs;
  std::string text =
      fmt::format("    pools:   {} pools, {} pgs\n", s.osd.map().pools.size(), pgs.pgs.size());
  text += fmt::format("    objects: {} objects, {}\n", si_text(positive(sum.num_objects)),
                      bytes_text(positive(sum.num_bytes)));
  text += fmt::format("    usage:   {} used, {} / {} avail\n", bytes_text(space.used_raw()),
                      bytes_text(space.available), bytes_text(space.total));
  return text + pg_lines(pgs, sum);
}

}  // namespace

json::object dump_status(const Services& s) {
  json::object o{{"fsid", s.monmap.fsid.to_string()}};
  o["health"] = s.health.dump(false);
  o["election_epoch"] = kElectionEpoch;
  o["quorum"] = json::array{0};
  o["quorum_names"] = json::array{json::value(s.name)};
  o["quorum_age"] = quorum_age(s);
  o["monmap"] = json::object{{"epoch", s.monmap.epoch},
                             {"min_mon_release_name", "pacific"},
                             {"num_mons", static_cast<int64_t>(s.monmap.mons.size())}};
  o["osdmap"] = dump_osds(s);
  o["pgmap"] = dump_pgs(s);
  o["fsmap"] = map::dump_fs_map_summary(s.fsmap);
  o["mgrmap"] = json::object{{"available", s.mgrmap.available},
                             {"num_standbys", 0},
                             {"modules", json::array()},
                             {"services", json::object()}};
  o["servicemap"] = json::object{
      {"epoch", 1}, {"modified", s.osd.map().created.to_string()}, {"services", json::object()}};
  json::object events;
  if (const auto e = s.stats.progress().current())
    events[e->id] = json::object{
        {"message", e->text()}, {"progress", e->fraction}, {"add_to_ceph_s", true}};
  o["progress_events"] = std::move(events);
  return o;
}

std::string print_status(const Services& s) {
  std::string text =
      "  cluster:\n    id:     " + s.monmap.fsid.to_string() + "\n" + health_block(s);
  text += " \n  services:\n" + services_block(s);
  text += " \n  data:\n" + data_block(s) + " \n";
  const std::string client = client_rate_text(s.stats.rate());
  const std::string recovery = recovery_rate_text(s.stats.rate());
  if (!client.empty() || !recovery.empty()) {
    text += "  io:\n";
    if (!client.empty()) text += "    client:   " + client + "\n";
    if (!recovery.empty()) text += "    recovery: " + recovery + "\n";
    text += " \n";
  }
  if (const auto e = s.stats.progress().current())
    text += "  progress:\n    " + e->text() + "\n \n";
  return text;
}

}  // namespace plimsoll::mon
