// SPDX-License-Identifier: LGPL-2.1-or-later
// Monitors: map, quorum, metadata. Membership cannot change while there is one.
#include <fmt/format.h>

#include "mon/commands/mon_info.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

Result<> check_epoch(const CommandContext& c, const Args& a) {
  const std::optional<int64_t> e = a.opt_int("epoch");
  // The one epoch that ever was.
  if (!e || *e == 0 || *e == c.services.monmap.epoch) return {};
  return fail(ENOENT, fmt::format("there is no map for epoch {}", *e));
}

CommandReply dump(CommandContext& c, const Args& a) {
  if (const Result<> known = check_epoch(c, a); !known) return CommandReply(known.error());
  json::object o = map::dump_mon_map(c.services.monmap);
  o["quorum"] = json::array{0};
  CommandReply reply = answer(a, o, map::print_mon_map(c.services.monmap));
  reply.outs = fmt::format("dumped monmap epoch {}", c.services.monmap.epoch);
  return reply;
}

CommandReply getmap(CommandContext& c, const Args& a) {
  if (const Result<> known = check_epoch(c, a); !known) return CommandReply(known.error());
  CommandReply reply = said(fmt::format("got monmap epoch {}", c.services.monmap.epoch));
  reply.out = wire::to_bytes(c.services.monmap);
  return reply;
}

CommandReply stat(CommandContext& c, const Args& a) {
  const map::MonMap& m = c.services.monmap;
  json::object o{{"epoch", m.epoch},
                 {"min_mon_release_name", "pacific"},
                 {"num_mons", m.mons.size()},
                 {"leader", c.services.name}};
  o["quorum"] = json::array{json::object{{"rank", 0}, {"name", c.services.name}}};
  std::string mons;
  for (const std::string& name : m.ranks)
    mons +=
        (mons.empty() ? "" : ",") + name + "=" + m.mons.at(name).public_addrs.msgr2().to_string();
  return answer(
      a, o,
      fmt::format("e{}: {} mons at {{{}}} removed_ranks: {{}}, election epoch {}, leader 0 {}, "
                  "quorum 0 {}\n",
                  m.epoch, m.mons.size(), mons, kElectionEpoch, c.services.name, c.services.name));
}

CommandReply quorum_status(CommandContext& c, const Args& a) {
  // One line, whatever the format.
  static_cast<void>(a);
  return CommandReply::text(command::print(dump_quorum_status(c.services), command::Format::kJson) +
                            "\n");
}

CommandReply mon_status(CommandContext& c, const Args& a) {
  return answer_json(a, dump_mon_status(c.services, c.sessions));
}

CommandReply metadata(CommandContext& c, const Args& a) {
  const auto id = a.opt_str("id");
  if (id && *id != c.services.name) return {-ENOENT, "mon." + *id + " does not exist"};
  json::object o = dump_mon_metadata(c.services);
  if (id) return answer_json(a, o);
  json::object named{{"name", c.services.name}};
  for (const auto& kv : o) named[kv.key()] = kv.value();
  return answer_json(a, json::array{std::move(named)});
}

CommandReply count_metadata(CommandContext& c, const Args& a) {
  const json::object o = dump_mon_metadata(c.services);
  const json::value* v = o.if_contains(a.str("property"));
  return answer_json(a, json::object{{v ? std::string_view(v->get_string()) : "unknown", 1}});
}

CommandReply versions(CommandContext& c, const Args& a) {
  return answer_json(
      a, json::object{{version_line(), static_cast<int64_t>(c.services.monmap.mons.size())}});
}

CommandReply time_sync(CommandContext&, const Args& a) {
  return answer_json(a, json::object{{"timechecks", json::object{{"epoch", kElectionEpoch},
                                                                 {"round", 0},
                                                                 {"round_status", "finished"}}}});
}

CommandReply node_ls(CommandContext& c, const Args& a) {
  const std::string type = a.str_or("type", "all");
  const auto& host = c.services.host_metadata;
  const auto name = host.find("hostname");
  json::object mons{
      {name == host.end() ? "unknown" : name->second, json::array{json::value(c.services.name)}}};
  std::map<std::string, json::array> by_host;
  for (OsdId osd : c.services.osd.map().osds()) {
    const OsdMetadata& m = c.services.membership.metadata(osd);
    const auto h = m.find("hostname");
    if (h != m.end()) by_host[h->second].push_back(osd);
  }
  json::object osds;
  for (auto& [h, ids] : by_host) osds[h] = std::move(ids);
  if (type == "mon") return answer_json(a, mons);
  if (type == "osd") return answer_json(a, osds);
  if (type != "all") return answer_json(a, json::object());
  return answer_json(a, json::object{{"mon", std::move(mons)},
                                     {"osd", std::move(osds)},
                                     {"mds", json::object()},
                                     {"mgr", json::object()}});
}

CommandReply ok_to_stop(CommandContext&, const Args&) {
  return {-EBUSY, "not enough monitors would be available (none) after stopping mons"};
}
CommandReply ok_to_add(CommandContext&, const Args&) {
  return {-EBUSY, "adding a monitor may break quorum (until that monitor starts)"};
}
CommandReply refuse(CommandContext&, const Args&) {
  return {-EOPNOTSUPP, "the monitors' membership cannot change yet"};
}

CommandReply feature_ls(CommandContext& c, const Args& a) {
  const json::object m = map::dump_mon_map(c.services.monmap);
  return answer_json(
      a, json::object{{"all", json::object{{"supported", m.at("features").at("persistent")},
                                           {"persistent", m.at("features").at("persistent")}}},
                      {"monmap", m.at("features")}});
}

CommandReply tell_hint(CommandContext&, const Args&) {
  return {-EOPNOTSUPP,
          "the stock tool sends tell to the daemon itself; use `ceph tell <name> ...`"};
}

const CommandRow kRows[] = {
    {"mon dump name=epoch,type=CephInt,range=0,req=false", "print the monitor map", "mon", "r", 0,
     query(dump)},
    {"mon getmap name=epoch,type=CephInt,range=0,req=false", "fetch the monitor map as a file",
     "mon", "r", 0, query(getmap)},
    {"mon stat", "print the monitors in one line", "mon", "r", 0, query(stat)},
    {"quorum_status", "print the state of the quorum", "mon", "r", 0, query(quorum_status)},
    {"mon_status", "print the state of this monitor", "mon", "r",
     command::kFlagNoForward | command::kFlagHidden, query(mon_status)},
    {"mon metadata name=id,type=CephString,req=false", "print what monitors say of themselves",
     "mon", "r", 0, query(metadata)},
    {"mon count-metadata name=property,type=CephString", "count monitors by a property of theirs",
     "mon", "r", 0, query(count_metadata)},
    {"mon versions", "count monitors by version", "mon", "r", 0, query(versions)},
    {"time-sync-status", "print how monitors' clocks agree", "mon", "r", 0, query(time_sync)},
    {"node ls name=type,type=CephChoices,strings=all|osd|mon|mds|mgr,req=false",
     "list daemons by host", "mon", "r", 0, query(node_ls)},
    {"mon ok-to-stop name=ids,type=CephString,n=N", "check whether monitors can stop", "mon", "r",
     0, query(ok_to_stop)},
    {"mon ok-to-add-offline", "check whether a stopped monitor can be added", "mon", "r", 0,
     query(ok_to_add)},
    {"mon ok-to-rm name=id,type=CephString", "check whether a monitor can be removed", "mon", "r",
     0, query(ok_to_stop)},
    {"mon add name=name,type=CephString name=addr,type=CephIPAddr "
     "name=location,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=],req=false",
     "add a monitor", "mon", "rw", 0, query(refuse)},
    {"mon rm name=name,type=CephString", "remove a monitor", "mon", "rw", 0, query(refuse)},
    {"mon remove name=name,type=CephString", "remove a monitor", "mon", "rw",
     command::kFlagDeprecated, query(refuse)},
    {"mon feature ls name=with_value,type=CephChoices,strings=--with-value,req=false",
     "list the quorum's features", "mon", "r", 0, query(feature_ls)},
    {"tell name=target,type=CephName name=args,type=CephString,n=N", "send a command to a daemon",
     "mon", "rw", 0, query(tell_hint)},
};

}  // namespace

void add_mon_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
