// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions about PGs, answered from what their primaries reported.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/size_text.h"
#include "common/base/text_table.h"
#include "mon/commands/rates.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using map::PgStat;

const map::PgMap& pg_map(const CommandContext& c) {
  return c.services.stats.pg_map();
}

CommandReply stat(CommandContext& c, const Args& a) {
  const map::PgMap& pgs = pg_map(c);
  const map::ObjectStats sum = pgs.pg_sum().stats;
  const map::OsdStat space = pgs.osd_sum();
  const map::ObjectStats& rate = c.services.stats.rate();
  json::array states;
  std::string counts;
  for (const auto& [state, n] : pgs.count_by_state()) {
    states.push_back(json::object{{"name", map::pg_state_text(state)}, {"num", n}});
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", n, map::pg_state_text(state));
  }
  const uint64_t used = space.statfs.used_raw();
  json::object o{{"num_pg_by_state", std::move(states)},
                 {"num_pgs", pgs.pgs.size()},
                 {"num_bytes", sum.num_bytes},
                 {"total_bytes", space.statfs.total},
                 {"total_avail_bytes", space.statfs.available},
                 {"total_used_bytes", used},
                 {"total_used_raw_bytes", used}};
  for (const auto& part :
       {dump_recovery_state(sum), dump_recovery_rate(rate), dump_client_rate(rate)})
    for (const auto& kv : part) o[kv.key()] = kv.value();
  std::string plain =
      fmt::format("{} pgs: {}; {} data, {} used, {} / {} avail", pgs.pgs.size(), counts,
                  bytes_text(static_cast<uint64_t>(std::max<int64_t>(0, sum.num_bytes))),
                  bytes_text(used), bytes_text(space.statfs.available),
                  bytes_text(space.statfs.total));
  if (const std::string t = client_rate_text(rate); !t.empty()) plain += "; " + t;
  for (const std::string& line : recovery_lines(sum)) plain += "; " + line;
  if (const std::string t = recovery_rate_text(rate); !t.empty()) plain += "; " + t + " recovering";
  return answer(a, json::object{{"pg_ready", true}, {"pg_summary", std::move(o)}}, plain + "\n");
}

/// As the manager prints it: with the pools' parts beside the OSDs.
json::object dump_part(const map::PgMap& pgs, const std::string& what) {
  json::object o = map::dump_pg_map(pgs, what);
  if (what == "osds") o["pool_statfs"] = map::dump_pool_statfs(pgs);
  return o;
}

CommandReply dump_of(const Args& a, const map::PgMap& pgs, const std::string& what) {
  CommandReply reply = wants_json(a) ? answer_json(a, dump_part(pgs, what))
                                     : CommandReply::text(map::print_pg_map(pgs, what));
  reply.outs = "dumped " + what;
  return reply;
}

/// "all" is the default, and wins over what stands beside it.
std::string dump_contents(const Args& a) {
  const std::vector<std::string> words = a.strings("dumpcontents");
  if (words.empty() || std::find(words.begin(), words.end(), "all") != words.end()) return "all";
  return words.front();
}

CommandReply dump(CommandContext& c, const Args& a) {
  return dump_of(a, pg_map(c), dump_contents(a));
}

CommandReply dump_json(CommandContext& c, const Args& a) {
  const std::string what = dump_contents(a);
  const auto format = wants_json(a) ? a.format() : command::Format::kJson;
  CommandReply reply = CommandReply::json(dump_part(pg_map(c), what), format);
  reply.outs = "dumped " + what;
  return reply;
}

CommandReply dump_pools_json(CommandContext& c, const Args& a) {
  const auto format = wants_json(a) ? a.format() : command::Format::kJson;
  CommandReply reply = CommandReply::json(map::dump_pg_map(pg_map(c), "pools"), format);
  reply.outs = "dumped pools";
  return reply;
}

CommandReply getmap(CommandContext& c, const Args&) {
  // Ours is JSON: the binary form of Ceph's PGMap is known to nobody but its manager.
  CommandReply reply =
      CommandReply::json(map::dump_pg_map(pg_map(c), "all"), command::Format::kJson);
  reply.outs = fmt::format("got pgmap version {}", pg_map(c).version);
  return reply;
}

// ---- pg ls
// ----------------------------------------------------------------------------------------

Result<uint64_t> parse_states(const Args& a) {
  uint64_t states = 0;
  for (const std::string& word : a.strings("states")) {
    if (word == "all") return 0;
    const uint64_t bit = map::pg_state_from(word);
    if (!bit && word != "unknown") return fail(EINVAL, "'" + word + "' is not a valid pg state");
    states |= bit;
  }
  return states;
}

using PgFilter = std::function<bool(const PgStat&)>;

CommandReply list(CommandContext& c, const Args& a, const PgFilter& filter) {
  const Result<uint64_t> states = parse_states(a);
  if (!states) return CommandReply(states.error());
  std::vector<const PgStat*> found;
  for (const auto& [_, pg] : pg_map(c).pgs)
    if (filter(pg) && (pg.state & *states) == *states) found.push_back(&pg);
  if (!wants_json(a))
    return CommandReply::text(map::print_pg_ls(found, c.services.runtime.clock().wall()));
  json::array stats;
  for (const PgStat* pg : found) stats.push_back(map::dump_pg_stat(*pg));
  return answer_json(a, json::object{{"pg_ready", true}, {"pg_stats", std::move(stats)}});
}

CommandReply ls(CommandContext& c, const Args& a) {
  const std::optional<int64_t> pool = a.opt_int("pool");
  if (pool && !c.services.osd.map().pool(*pool))
    return {-ENOENT, fmt::format("pool {} does not exist", *pool)};
  return list(c, a, [&](const PgStat& pg) { return !pool || pg.pgid.pool == *pool; });
}

CommandReply ls_by_pool(CommandContext& c, const Args& a) {
  const auto pool = c.services.osd.map().find_pool(a.str("poolstr"));
  if (!pool) return {-ENOENT, "pool " + a.str("poolstr") + " does not exist"};
  return list(c, a, [&](const PgStat& pg) { return pg.pgid.pool == *pool; });
}

CommandReply ls_of_osd(CommandContext& c, const Args& a, bool primary) {
  const OsdId osd = a.osd("osd");
  if (const Result<> known = check_osd(c.services.osd.map(), osd); !known)
    return {-ENOENT, fmt::format("osd {} does not exist", osd)};
  const std::optional<int64_t> pool = a.opt_int("pool");
  if (pool && !c.services.osd.map().pool(*pool))
    return {-ENOENT, fmt::format("pool {} does not exist", *pool)};
  return list(c, a, [&](const PgStat& pg) {
    if (pool && pg.pgid.pool != *pool) return false;
    if (primary) return pg.acting_primary == osd;
    return std::find(pg.acting.begin(), pg.acting.end(), osd) != pg.acting.end();
  });
}
CommandReply ls_by_osd(CommandContext& c, const Args& a) {
  return ls_of_osd(c, a, false);
}
CommandReply ls_by_primary(CommandContext& c, const Args& a) {
  return ls_of_osd(c, a, true);
}

// ---- stuck
// ----------------------------------------------------------------------------------------

/// Since when the PG has been what `kind` calls stuck; nothing where it is not.
std::optional<Utime> stuck_since(const PgStat& s, const std::string& kind) {
  if (kind == "inactive" && !(s.state & map::kPgActive)) return s.last_active;
  if (kind == "unclean" && !(s.state & map::kPgClean)) return s.last_clean;
  if (kind == "stale" && (s.state & map::kPgStale)) return s.last_unstale;
  if (kind == "undersized" && (s.state & map::kPgUndersized)) return s.last_fullsized;
  if (kind == "degraded" && (s.state & map::kPgDegraded)) return s.last_undegraded;
  return {};
}

CommandReply dump_stuck(CommandContext& c, const Args& a) {
  std::vector<std::string> kinds = a.strings("stuckops");
  if (kinds.empty()) kinds = {"unclean"};
  const int64_t threshold = a.int_or("threshold", c.services.config.mon_pg_stuck_threshold());
  const int64_t now = c.services.runtime.clock().wall().sec;
  json::array stuck;
  TextTable table;
  table.column("PG_STAT", Align::kLeft, Align::kLeft);
  table.column("STATE", Align::kLeft, Align::kRight);
  for (const char* name : {"UP", "UP_PRIMARY", "ACTING", "ACTING_PRIMARY"})
    table.column(name, Align::kLeft, Align::kRight);
  for (const auto& [pgid, s] : pg_map(c).pgs) {
    const bool is_stuck = std::any_of(kinds.begin(), kinds.end(), [&](const std::string& kind) {
      const std::optional<Utime> since = stuck_since(s, kind);
      return since && now - int64_t{since->sec} >= threshold;
    });
    if (!is_stuck) continue;
    stuck.push_back(map::dump_pg_stat(s));
    table.row({pgid.to_string(), map::pg_state_text(s.state), osds_text(s.up),
               std::to_string(s.up_primary), osds_text(s.acting),
               std::to_string(s.acting_primary)});
  }
  std::string plain = table.empty() ? "" : table.to_string();
  CommandReply reply = answer(
      a, json::object{{"pg_ready", true}, {"stuck_pg_stats", std::move(stuck)}}, std::move(plain));
  reply.outs = "ok";
  return reply;
}

CommandReply debug(CommandContext& c, const Args& a) {
  const map::ObjectStats sum = pg_map(c).pg_sum().stats;
  bool yes = sum.num_objects_unfound > 0;
  if (a.str("debugop") == "degraded_pgs_exist") {
    const auto& pgs = pg_map(c).pgs;
    yes = std::any_of(pgs.begin(), pgs.end(),
                      [](const auto& p) { return (p.second.state & map::kPgDegraded) != 0; });
  }
  return CommandReply::text(yes ? "TRUE" : "FALSE");
}

CommandReply map_pg(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const PgId pg = a.pgid("pgid");
  if (!m.pool(pg.pool)) return {-ENOENT, "pg '" + pg.to_string() + "' does not exist"};
  const PgId reduced = m.reduce(pg);
  const map::PgMapping where = m.map_pg(reduced);
  json::object o{{"epoch", m.epoch}, {"raw_pgid", pg.to_string()}, {"pgid", reduced.to_string()}};
  o["up"] = osds_json(where.up);
  o["acting"] = osds_json(where.acting);
  return answer(a, o,
                fmt::format("osdmap e{} pg {} ({}) -> up {} acting {}\n", m.epoch, pg.to_string(),
                            reduced.to_string(), osds_text(where.up), osds_text(where.acting)));
}

const CommandRow kRows[] = {
    {"pg stat", "count PGs by state", "pg", "r", 0, query(stat)},
    {"pg getmap", "fetch PG statistics as a file", "pg", "r", 0, query(getmap)},
    {"pg dump "
     "name=dumpcontents,type=CephChoices,strings=all|summary|sum|delta|pools|osds|pgs|pgs_brief,n="
     "N,"
     "req=false",
     "print PG statistics", "pg", "r", 0, query(dump)},
    {"pg dump_json "
     "name=dumpcontents,type=CephChoices,strings=all|summary|sum|pools|osds|pgs,n=N,req=false",
     "print PG statistics as JSON", "pg", "r", 0, query(dump_json)},
    {"pg dump_pools_json", "print pools of the PG statistics as JSON", "pg", "r", 0,
     query(dump_pools_json)},
    {"pg ls-by-pool name=poolstr,type=CephString name=states,type=CephString,n=N,req=false",
     "list the PGs of a pool, in some states or all", "pg", "r", 0, query(ls_by_pool)},
    {"pg ls-by-primary name=osd,type=CephOsdName name=pool,type=CephInt,req=false "
     "name=states,type=CephString,n=N,req=false",
     "list the PGs that an OSD leads", "pg", "r", 0, query(ls_by_primary)},
    {"pg ls-by-osd name=osd,type=CephOsdName name=pool,type=CephInt,req=false "
     "name=states,type=CephString,n=N,req=false",
     "list the PGs on an OSD", "pg", "r", 0, query(ls_by_osd)},
    {"pg ls name=pool,type=CephInt,req=false name=states,type=CephString,n=N,req=false",
     "list PGs, of one pool (by id) and in some states or all", "pg", "r", 0, query(ls)},
    {"pg dump_stuck "
     "name=stuckops,type=CephChoices,strings=inactive|unclean|stale|undersized|degraded,n=N,req="
     "false "
     "name=threshold,type=CephInt,req=false",
     "print PGs that have been in a bad state for long", "pg", "r", 0, query(dump_stuck)},
    {"pg debug name=debugop,type=CephChoices,strings=unfound_objects_exist|degraded_pgs_exist",
     "print whether there are such PGs", "pg", "r", 0, query(debug)},
    {"pg map name=pgid,type=CephPgid", "print which OSDs a PG is on", "pg", "r", 0, query(map_pg)},
};

}  // namespace

void add_pg_queries(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
