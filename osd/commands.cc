// SPDX-License-Identifier: LGPL-2.1-or-later
// The OSD's own commands: over the admin socket, and as `ceph tell osd.N` and `ceph tell <pgid>`.
#include "osd/osd.h"

namespace plimsoll::osd {

namespace json = boost::json;
using command::Args;
using command::Caller;
using command::CommandReply;

void Osd::add_commands() {
  auto& table = env_.admin.table();
  const auto add = [&](const char* signature, const char* help,
                       Task<CommandReply> (Osd::*method)(Caller&, const Args&)) {
    table.add(signature, help,
              [this, method](Caller& c, const Args& a) { return (this->*method)(c, a); });
  };
  add("status", "high-level status of OSD", &Osd::cmd_status);
  add("dump_ops_in_flight", "show the ops currently in flight", &Osd::cmd_ops);
  add("ops", "show the ops currently in flight", &Osd::cmd_ops);
  add("dump_historic_ops", "show recent ops", &Osd::cmd_history);
  add("dump_historic_ops_by_duration", "show slowest recent ops, sorted by duration",
      &Osd::cmd_history);
  add("dump_fullness", "show space, the lines, and who has borrowed how much",
      &Osd::cmd_dump_fullness);
  add("injectfull name=type,type=CephString,req=false name=count,type=CephInt,req=false",
      "pretend to be full", &Osd::cmd_inject_full);
  add("dump_pgstate_history", "show the state of every PG this OSD holds", &Osd::cmd_pgs);
  add("query name=pgid,type=CephPgid", "show details of a specific pg", &Osd::cmd_query);
  add("pg name=pgid,type=CephPgid name=cmd,type=CephChoices,strings=query",
      "show details of a specific pg", &Osd::cmd_query);
}

Task<CommandReply> Osd::cmd_status(Caller&, const Args& args) {
  json::object out{{"cluster_fsid", maps_.superblock().fsid.to_string()},
                   {"osd_fsid", maps_.superblock().osd_uuid.to_string()},
                   {"whoami", whoami_},
                   {"state", up_ ? "active" : "booting"},
                   {"oldest_map", maps_.superblock().full_map},
                   {"newest_map", maps_.epoch()},
                   {"num_pgs", env_.counters.get(metrics::Counter::osd_numpg)}};
  co_return CommandReply::json(out, args.format());
}

namespace {

struct Ops {
  json::array ops;
};

json::object ops_in_flight(json::array ops) {
  const size_t n = ops.size();
  return {{"ops", std::move(ops)}, {"num_ops", n}};
}

}  // namespace

Task<CommandReply> Osd::cmd_ops(Caller&, const Args& args) {
  auto found = std::make_shared<Ops>();
  const auto each = [found](PgShard& s) {
    for (auto& op : s.tracker().dump_in_flight()) found->ops.push_back(std::move(op));
  };
  co_await on_shards(each);
  co_return CommandReply::json(ops_in_flight(std::move(found->ops)), args.format());
}

Task<CommandReply> Osd::cmd_history(Caller&, const Args& args) {
  auto found = std::make_shared<Ops>();
  const auto each = [found](PgShard& s) {
    for (auto& op : s.tracker().dump_history()) found->ops.push_back(std::move(op));
  };
  co_await on_shards(each);
  json::object out{{"size", env_.config.osd_op_history_size()},
                   {"duration", env_.config.osd_op_history_duration()},
                   {"ops", std::move(found->ops)}};
  co_return CommandReply::json(out, args.format());
}

Task<CommandReply> Osd::cmd_pgs(Caller&, const Args& args) {
  auto found = std::make_shared<Ops>();
  const auto each = [found](PgShard& s) {
    for (const PgId id : s.ids()) {
      const map::PgStat stat = s.find(id)->stat();
      found->ops.push_back(json::object{{"pg", id.to_string()},
                                        {"primary", s.find(id)->is_primary()},
                                        {"currently", map::pg_state_text(stat.state)},
                                        {"comment", stat.blocked_reason}});
    }
  };
  co_await on_shards(each);
  co_return CommandReply::json(json::object{{"pgs", std::move(found->ops)}}, args.format());
}

Task<CommandReply> Osd::cmd_query(Caller&, const Args& args) {
  const PgId id = args.pgid("pgid");
  auto found = std::make_shared<std::optional<json::object>>();
  const auto each = [found, id](PgShard& s) {
    if (Pg* pg = s.find(id)) *found = pg->query();
  };
  co_await on_shards(each);
  if (!*found) co_return CommandReply(-ENOENT, "i don't have pgid " + id.to_string());
  co_return CommandReply::json(**found, args.format());
}

}  // namespace plimsoll::osd
