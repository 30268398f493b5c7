// SPDX-License-Identifier: LGPL-2.1-or-later
// The OSD's own commands: over the admin socket, and as `ceph tell osd.N` and `ceph tell <pgid>`.
#include <set>

#include "common/map/osd_map_dump.h"
#include "osd/osd.h"

namespace plimsoll::osd {

namespace json = boost::json;
using command::Args;
using command::CommandReply;

std::span<const command::Row<Osd>> Osd::command_rows() {
#define FILTER " name=filterstr,type=CephString,n=N,req=false"
  static const command::Row<Osd> kRows[] = {
      {"status", "high-level status of OSD", "", "", 0, &Osd::cmd_status},
      {"dump_ops_in_flight" FILTER, "show the ops currently in flight", "", "", 0, &Osd::cmd_ops},
      {"ops" FILTER, "show the ops currently in flight", "", "", 0, &Osd::cmd_ops},
      {"dump_blocked_ops" FILTER, "show the ops in flight that count as slow", "", "", 0,
       &Osd::cmd_blocked_ops},
      {"dump_historic_ops" FILTER, "show the slowest recent ops, the oldest first", "", "", 0,
       &Osd::cmd_history},
      {"dump_historic_ops_by_duration" FILTER, "show the slowest recent ops, the slowest first", "",
       "", 0, &Osd::cmd_history_by_duration},
      {"dump_historic_slow_ops" FILTER, "show the last ops that were slow", "", "", 0,
       &Osd::cmd_slow_ops},
      {"dump_pgstate_history", "show what every PG here does and did before", "", "", 0,
       &Osd::cmd_pgs},
      {"query name=pgid,type=CephPgid", "show details of a specific pg", "", "", 0,
       &Osd::cmd_query},
      {"pg name=pgid,type=CephPgid name=cmd,type=CephChoices,strings=query",
       "show details of a specific pg", "", "", 0, &Osd::cmd_query},
      {"dump_blocklist", "show the clients that are locked out, and until when", "", "", 0,
       &Osd::cmd_blocklist},
      {"get_mapped_pools", "list the pools that have PGs here", "", "", 0, &Osd::cmd_pools},
      {"get_latest_osdmap", "wait until this OSD has the newest osdmap", "", "", 0,
       &Osd::cmd_newest_map},
      {"flush_pg_stats", "report to the monitor now; prints the report's number", "", "", 0,
       &Osd::cmd_flush_stats},
      {"dump_fullness", "show space, the lines, and who has borrowed how much", "", "", 0,
       &Osd::cmd_dump_fullness},
      {"dump_pg_allocated", "show the bytes that each PG's replica takes here", "", "", 0,
       &Osd::cmd_dump_pg_allocated},
      {"injectfull name=type,type=CephString,req=false name=count,type=CephInt,req=false",
       "pretend to be full", "", "", 0, &Osd::cmd_inject_full},
      {"compact", "compact the store's key-value part; slows requests meanwhile", "", "", 0,
       &Osd::cmd_compact},
  };
#undef FILTER
  return kRows;
}

std::vector<command::Spec> Osd::command_specs() {
  return command::specs_of(command_rows());
}

Task<CommandReply> Osd::cmd_status(const Args& args) {
  json::object out{{"cluster_fsid", maps_.superblock().fsid.to_string()},
                   {"osd_fsid", maps_.superblock().osd_uuid.to_string()},
                   {"whoami", whoami_},
                   {"state", up_ ? "active" : "booting"},
                   {"oldest_map", maps_.superblock().full_map},
                   {"cluster_osdmap_trim_lower_bound", maps_.cluster_oldest()},
                   {"newest_map", maps_.epoch()},
                   {"num_pgs", env_.counters.get(metrics::Counter::osd_numpg)}};
  co_return CommandReply::json(out, args.format());
}

// ---- PGs ----------------------------------------------------------------------------------------

Task<CommandReply> Osd::cmd_pgs(const Args& args) {
  auto found = std::make_shared<json::array>();
  const auto each = [found](PgShard& s) {
    for (const PgId id : s.ids()) found->push_back(s.find(id)->dump_states());
  };
  co_await on_shards(each);
  co_return CommandReply::json(json::object{{"pgs", std::move(*found)}}, args.format());
}

Task<CommandReply> Osd::cmd_query(const Args& args) {
  const PgId id = args.pgid("pgid");
  auto found = std::make_shared<std::optional<json::object>>();
  const auto each = [found, id](PgShard& s) {
    if (Pg* pg = s.find(id)) *found = pg->query();
  };
  co_await on_shards(each);
  if (!*found) co_return CommandReply(-ENOENT, "i don't have pgid " + id.to_string());
  co_return CommandReply::json(**found, args.format());
}

Task<CommandReply> Osd::cmd_dump_pg_allocated(const Args& args) {
  json::object out{{"pg_allocated", map::dump_pg_allocated(pg_allocated())}};
  co_return CommandReply::json(out, args.format());
}

Task<CommandReply> Osd::cmd_pools(const Args& args) {
  auto pools = std::make_shared<std::set<PoolId>>();
  const auto each = [pools](PgShard& s) {
    for (const PgId id : s.ids()) pools->insert(id.pool);
  };
  co_await on_shards(each);
  co_return CommandReply::json(json::array(pools->begin(), pools->end()), args.format());
}

// ---- maps, reports, store -----------------------------------------------------------------------

Task<CommandReply> Osd::cmd_blocklist(const Args& args) {
  const MapRef map = maps_.current();
  co_return CommandReply::json(map::dump_blocklist(*map), args.format());
}

Task<CommandReply> Osd::cmd_newest_map(const Args&) {
  constexpr Duration kPatience = 30s;
  const auto newest = co_await mon_->newest_version("osdmap", kPatience);
  if (!newest) co_return CommandReply(newest.error());
  while (maps_.epoch() < *newest) co_await new_map_.wait();
  co_return CommandReply();
}

Task<CommandReply> Osd::cmd_flush_stats(const Args& args) {
  const uint64_t number = co_await report(true);
  co_return CommandReply::json(json::value(number), args.format());
}

Task<CommandReply> Osd::cmd_compact(const Args& args) {
  const TimePoint begun = env_.runtime.clock().now();
  const Result<> done = co_await store_->compact();
  if (!done) co_return CommandReply(done.error());
  const Duration took = env_.runtime.clock().now() - begun;
  const double seconds = std::chrono::duration<double>(took).count();
  co_return CommandReply::json(json::object{{"elapsed_time", seconds}}, args.format());
}

}  // namespace plimsoll::osd
