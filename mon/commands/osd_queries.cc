// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions about OSDs as daemons: where they are, what they say of themselves, how they do.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/base/size_text.h"
#include "common/base/text_table.h"
#include "common/map/osd_map_dump.h"
#include "mon/commands/osd_safety.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {


std::string metadata_of(const CommandContext& c, OsdId osd, const char* key) {
  const OsdMetadata& all = c.services.membership.metadata(osd);
  const auto it = all.find(key);
  return it == all.end() ? "" : it->second;
}

CommandReply find(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const OsdId osd = a.osd("id");
  if (const Result<> known = check_osd(m, osd); !known) return CommandReply(known.error());
  json::object o{{"osd", osd}};
  o["addrs"] = map::dump_addrvec(m.client_addrs[osd]);
  o["osd_fsid"] = m.osd_uuid[osd].to_string();
  o["host"] = metadata_of(c, osd, "hostname");
  if (const std::string name = metadata_of(c, osd, "container_name"); !name.empty())
    o["container_name"] = name;
  json::object location;
  for (const auto& [type, name] : m.crush->location_of(osd)) location[type] = name;
  o["crush_location"] = std::move(location);
  return answer_json(a, o);
}

json::object dump_metadata(const CommandContext& c, OsdId osd) {
  json::object o{{"id", osd}};
  for (const auto& [k, v] : c.services.membership.metadata(osd)) o[k] = v;
  return o;
}

CommandReply metadata(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  if (a.has("id")) {
    const OsdId osd = a.osd("id");
    if (const Result<> known = check_osd(m, osd); !known) return CommandReply(known.error());
    return answer_json(a, dump_metadata(c, osd));
  }
  json::array all;
  for (OsdId osd : m.osds()) all.push_back(dump_metadata(c, osd));
  return answer_json(a, all);
}

json::object count_by(const CommandContext& c, const char* key) {
  std::map<std::string, int64_t> counts;
  for (OsdId osd : c.services.osd.map().osds()) {
    if (c.services.membership.metadata(osd).empty()) continue;
    const std::string value = metadata_of(c, osd, key);
    counts[value.empty() ? "unknown" : value]++;
  }
  json::object o;
  for (const auto& [value, n] : counts) o[value] = n;
  return o;
}

CommandReply count_metadata(CommandContext& c, const Args& a) {
  return answer_json(a, count_by(c, a.str("property").c_str()));
}

CommandReply versions(CommandContext& c, const Args& a) {
  return answer_json(a, count_by(c, "ceph_version"));
}

CommandReply numa_status(CommandContext& c, const Args& a) {
  json::array all;
  TextTable table;
  table.column("OSD", Align::kLeft, Align::kRight);
  table.column("HOST", Align::kLeft, Align::kLeft);
  for (const char* name : {"NETWORK", "STORAGE", "AFFINITY"})
    table.column(name, Align::kRight, Align::kRight);
  table.column("CPUS", Align::kLeft, Align::kLeft);
  for (OsdId osd : c.services.osd.map().osds()) {
    const std::string host = metadata_of(c, osd, "hostname");
    all.push_back(json::object{{"osd", osd}, {"host", host}});
    table.row({std::to_string(osd), host, "-", "-", "-", "-"});
  }
  return answer(a, all, table.to_string());
}

/// Ceph's manager wraps what it prints from statistics, and ends it with a line break of its own.
CommandReply answer_stats(const Args& a, const char* key, json::object inner, std::string plain) {
  json::object o{{"pg_ready", true}};
  o[key] = std::move(inner);
  return answer(a, o, std::move(plain));
}

CommandReply perf(CommandContext& c, const Args& a) {
  json::array infos;
  TextTable table;
  table.column("osd", Align::kLeft, Align::kRight);
  table.column("commit_latency(ms)", Align::kLeft, Align::kRight);
  table.column("apply_latency(ms)", Align::kLeft, Align::kRight);
  for (const auto& [osd, s] : c.services.stats.pg_map().osds) {
    const uint64_t commit = s.commit_latency_ns / 1'000'000, apply = s.apply_latency_ns / 1'000'000;
    infos.push_back(
        json::object{{"id", osd},
                     {"perf_stats", json::object{{"commit_latency_ms", commit},
                                                 {"apply_latency_ms", apply},
                                                 {"commit_latency_ns", s.commit_latency_ns},
                                                 {"apply_latency_ns", s.apply_latency_ns}}}});
    table.row({std::to_string(osd), std::to_string(commit), std::to_string(apply)});
  }
  return answer_stats(a, "osdstats", {{"osd_perf_infos", std::move(infos)}}, table.to_string());
}

CommandReply blocked_by(CommandContext& c, const Args& a) {
  std::map<OsdId, int64_t> counts;
  for (const auto& [_, pg] : c.services.stats.pg_map().pgs)
    for (OsdId osd : pg.blocked_by) counts[osd]++;
  json::array infos;
  TextTable table;
  table.column("osd", Align::kLeft, Align::kRight);
  table.column("num_blocked", Align::kLeft, Align::kRight);
  for (const auto& [osd, n] : counts) {
    infos.push_back(json::object{{"id", osd}, {"num_blocked", n}});
    table.row({std::to_string(osd), std::to_string(n)});
  }
  return answer_stats(a, "osd_blocked_by", {{"osd_blocked_by_infos", std::move(infos)}},
                      table.to_string());
}

CommandReply utilization(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  std::map<OsdId, int64_t> pgs;
  for (OsdId osd : m.osds())
    if (m.is_in(osd)) pgs[osd] = 0;
  for (const PgId pg : m.all_pgs())
    for (OsdId osd : m.map_pg(pg).acting)
      if (const auto it = pgs.find(osd); it != pgs.end()) it->second++;
  if (pgs.empty()) return answer(a, json::object(), "");
  double sum = 0, squares = 0;
  auto least = pgs.begin(), most = pgs.begin();
  for (auto it = pgs.begin(); it != pgs.end(); ++it) {
    sum += static_cast<double>(it->second);
    if (it->second < least->second) least = it;
    if (it->second > most->second) most = it;
  }
  const double n = static_cast<double>(pgs.size()), mean = sum / n;
  for (const auto& [_, count] : pgs)
    squares += (static_cast<double>(count) - mean) * (static_cast<double>(count) - mean);
  const double deviation = std::sqrt(squares / n);
  // Of throwing `sum` balls into n bins.
  const double expected = std::sqrt(mean * (1.0 - 1.0 / n));
  json::object o{{"avg_pgs", mean},
                 {"std_dev", deviation},
                 {"expected_baseline_std_dev", expected},
                 {"min_osd", least->first},
                 {"min_osd_pgs", least->second},
                 {"max_osd", most->first},
                 {"max_osd_pgs", most->second}};
  const auto times = [mean](int64_t count) {
    return command::general(mean > 0 ? static_cast<double>(count) / mean : 0);
  };
  std::string plain =
      fmt::format("avg {}\nstddev {} (expected baseline {})\n", command::general(mean),
                  command::general(deviation), command::general(expected));
  plain += fmt::format("min osd.{} with {} pgs ({} * mean)\n", least->first, least->second,
                       times(least->second));
  plain += fmt::format("max osd.{} with {} pgs ({} * mean)\n", most->first, most->second,
                       times(most->second));
  return answer(a, o, std::move(plain));
}

Result<std::set<OsdId>> id_set(const CommandContext& c, const Args& a) {
  TRY(list, parse_osds(c.services.osd.map(), a.strings("ids")));
  return std::set<OsdId>(list.begin(), list.end());
}

CommandReply ok_to_stop(CommandContext& c, const Args& a) {
  const Result<std::set<OsdId>> osds = id_set(c, a);
  if (!osds) return CommandReply(osds.error());
  const StopSafety safety = stop_safety(c.services, *osds);
  // JSON in one line, whatever the format.
  CommandReply reply =
      CommandReply::text(command::print(safety.dump(), command::Format::kJson) + "\n");
  if (safety.ok()) return reply;
  reply.rc = -EBUSY;
  reply.outs =
      fmt::format("unsafe to stop osd(s) at this time ({} PGs are or would become offline)",
                  safety.not_ok.size());
  return reply;
}

CommandReply safe_to_destroy(CommandContext& c, const Args& a) {
  const Result<std::set<OsdId>> osds = id_set(c, a);
  if (!osds) return CommandReply(osds.error());
  const DestroySafety safety = destroy_safety(c.services, *osds);
  if (wants_json(a)) return answer_json(a, safety.dump());
  if (!safety.all_safe())
    return {safety.unknown_pgs && safety.active.empty() ? -EAGAIN : -EBUSY, safety.text()};
  std::string ids;
  for (OsdId osd : *osds) ids += (ids.empty() ? "" : ",") + std::to_string(osd);
  return said("OSD(s) " + ids + " are safe to destroy without reducing data durability.");
}

CommandReply last_stat_seq(CommandContext& c, const Args& a) {
  const auto& stats = c.services.stats.pg_map().osds;
  const auto it = stats.find(a.osd("id"));
  const uint64_t seq = it == stats.end() ? 0 : it->second.seq;
  return answer(a, json::value(seq), std::to_string(seq) + "\n");
}

CommandReply status(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  json::array osds;
  TextTable table;
  for (const char* name : {"ID", "HOST", "USED", "AVAIL", "STATE"})
    table.column(name, Align::kLeft, Align::kLeft);
  for (OsdId osd : m.osds()) {
    const auto stat = c.services.stats.pg_map().osds.find(osd);
    const bool known = stat != c.services.stats.pg_map().osds.end();
    const uint64_t used = known ? stat->second.statfs.used_raw() : 0;
    const uint64_t avail = known ? stat->second.statfs.available : 0;
    json::array state;
    std::string words;
    for (const std::string& s : map::osd_state_names(m.osd_state[osd])) {
      state.push_back(json::value(s));
      words += (words.empty() ? "" : ",") + s;
    }
    const std::string host = metadata_of(c, osd, "hostname");
    osds.push_back(json::object{{"id", osd},
                                {"host name", host},
                                {"kb used", used >> 10},
                                {"kb available", avail >> 10},
                                {"state", std::move(state)}});
    table.row(
        {std::to_string(osd), host, bytes_text(used), bytes_text(avail), words});
  }
  return answer(a, json::object{{"OSDs", std::move(osds)}}, table.to_string());
}

/// Scrubbing comes with recovery; until then there is nothing that the request could start.
CommandReply scrub(CommandContext& c, const Args& a) {
  const Result<std::vector<OsdId>> osds = parse_osds(c.services.osd.map(), {a.str("who")});
  if (!osds) return CommandReply(osds.error());
  return {-EOPNOTSUPP, "scrubbing is not supported"};
}

const CommandRow kRows[] = {
    {"osd find name=id,type=CephOsdName", "print where an OSD is", "osd", "r", 0, query(find)},
    {"osd metadata name=id,type=CephOsdName,req=false", "print what OSDs say of themselves", "osd",
     "r", 0, query(metadata)},
    {"osd count-metadata name=property,type=CephString", "count OSDs by a property of theirs",
     "osd", "r", 0, query(count_metadata)},
    {"osd versions", "count OSDs by version", "osd", "r", 0, query(versions)},
    {"osd numa-status", "print NUMA nodes of OSDs", "osd", "r", 0, query(numa_status)},
    {"osd perf", "print latencies of OSDs", "osd", "r", 0, query(perf)},
    {"osd blocked-by", "count the PGs that wait for each OSD", "osd", "r", 0, query(blocked_by)},
    {"osd utilization", "print how evenly PGs are spread", "osd", "r", 0, query(utilization)},
    {"osd ok-to-stop name=ids,type=CephString,n=N name=max,type=CephInt,req=false",
     "check whether OSDs can stop without making data unavailable", "osd", "r", 0,
     query(ok_to_stop)},
    {"osd safe-to-destroy name=ids,type=CephString,n=N",
     "check whether OSDs can be destroyed without making data less safe", "osd", "r", 0,
     query(safe_to_destroy)},
    {"osd last-stat-seq name=id,type=CephOsdName", "print the number of an OSD's last report",
     "osd", "r", 0, query(last_stat_seq)},
    {"osd status name=bucket,type=CephString,req=false", "print OSDs with their use", "mgr", "r", 0,
     query(status)},
    {"osd scrub name=who,type=CephString", "scrub the PGs of an OSD", "osd", "rw", 0, query(scrub)},
    {"osd deep-scrub name=who,type=CephString", "deep-scrub the PGs of an OSD", "osd", "rw", 0,
     query(scrub)},
    {"osd repair name=who,type=CephString", "repair the PGs of an OSD", "osd", "rw", 0,
     query(scrub)},
};

}  // namespace

void add_osd_queries(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
