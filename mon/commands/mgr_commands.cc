// SPDX-License-Identifier: LGPL-2.1-or-later
// The manager that the monitor stands in for: what it answers in Ceph is in the other files; here
// are the commands about itself and about a few of its modules, of which it has none.
#include <fmt/format.h>

#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

CommandReply stat(CommandContext& c, const Args& a) {
  const map::MgrMap& map = c.services.mgrmap;
  return answer_json(a, json::object{{"epoch", map.epoch},
                                     {"available", map.available},
                                     {"active_name", map.active_name},
                                     {"num_standby", 0}});
}

CommandReply dump(CommandContext& c, const Args& a) {
  const std::optional<int64_t> e = a.opt_int("epoch");
  if (e && *e != 0 && *e != c.services.mgrmap.epoch)
    return {-ENOENT, fmt::format("there is no map for epoch {}", *e)};
  return answer_json(a, map::dump_mgr_map(c.services.mgrmap));
}

CommandReply module_ls(CommandContext&, const Args& a) {
  return answer_json(a, json::object{{"always_on_modules", json::array()},
                                     {"enabled_modules", json::array()},
                                     {"disabled_modules", json::array()}});
}

CommandReply empty_object(CommandContext&, const Args& a) {
  return answer_json(a, json::object());
}
CommandReply empty_list(CommandContext&, const Args& a) {
  return answer_json(a, json::array());
}
CommandReply no_manager(CommandContext&, const Args&) {
  return {-EOPNOTSUPP, "there is no manager and it has no modules"};
}

CommandReply balancer_status(CommandContext&, const Args& a) {
  return answer_json(a, json::object{{"active", false},
                                     {"last_optimize_duration", ""},
                                     {"last_optimize_started", ""},
                                     {"mode", "none"},
                                     {"optimize_result", "there is no balancer"},
                                     {"plans", json::array()}});
}

CommandReply device_ls(CommandContext&, const Args& a) {
  return answer(a, json::array(), "DEVICE  HOST:DEV  DAEMONS  WEAR  LIFE EXPECTANCY\n");
}

CommandReply progress(CommandContext& c, const Args&) {
  const auto e = c.services.stats.progress().current();
  return CommandReply::text(e ? e->text() + "\n" : "\nNothing in progress\n");
}

json::object dump_event(const ProgressEvent& e) {
  const auto seconds = [](Duration d) { return std::chrono::duration<double>(d).count(); };
  json::object o{{"id", e.id}, {"message", e.title}, {"refs", json::array{"global"}}};
  o["progress"] = e.fraction;
  o["duration"] = seconds(e.elapsed());
  if (const auto left = e.remaining()) o["time_remaining"] = seconds(*left);
  o["add_to_ceph_s"] = true;
  return o;
}

CommandReply progress_json(CommandContext& c, const Args& a) {
  const Progress& p = c.services.stats.progress();
  json::array events, completed;
  if (const auto e = p.current()) events.push_back(dump_event(*e));
  for (const ProgressEvent& e : p.completed()) completed.push_back(dump_event(e));
  return answer_json(a, json::object{{"events", events}, {"completed", completed}});
}

CommandReply crash_ls(CommandContext&, const Args& a) {
  return answer(a, json::array(), "");
}

const CommandRow kRows[] = {
    {"mgr stat", "print the state of the manager", "mgr", "r", 0, query(stat)},
    {"mgr dump name=epoch,type=CephInt,range=0,req=false", "print the manager map", "mgr", "r", 0,
     query(dump)},
    {"mgr module ls", "list manager modules", "mgr", "r", 0, query(module_ls)},
    {"mgr services", "list services of manager modules", "mgr", "r", 0, query(empty_object)},
    {"mgr metadata name=who,type=CephString,req=false", "print what managers say of themselves",
     "mgr", "r", 0, query(empty_list)},
    {"mgr count-metadata name=property,type=CephString", "count managers by a property of theirs",
     "mgr", "r", 0, query(empty_object)},
    {"mgr versions", "count managers by version", "mgr", "r", 0, query(empty_object)},
    {"mgr fail name=who,type=CephString,req=false", "let another manager take over", "mgr", "rw", 0,
     query(no_manager)},
    {"mgr module enable name=module,type=CephString "
     "name=force,type=CephChoices,strings=--force,req=false",
     "enable a manager module", "mgr", "rw", 0, query(no_manager)},
    {"mgr module disable name=module,type=CephString", "disable a manager module", "mgr", "rw", 0,
     query(no_manager)},
    {"balancer status", "print the state of the balancer", "mgr", "r", 0, query(balancer_status)},
    {"balancer ls", "list plans of the balancer", "mgr", "r", 0, query(empty_list)},
    {"balancer on", "turn the balancer on", "mgr", "rw", 0, query(no_manager)},
    {"balancer off", "turn the balancer off", "mgr", "rw", 0, query(no_manager)},
    {"device ls", "list devices", "mgr", "r", 0, query(device_ls)},
    {"device ls-by-host name=host,type=CephString", "list a host's devices", "mgr", "r", 0,
     query(device_ls)},
    {"device ls-by-daemon name=who,type=CephString", "list a daemon's devices", "mgr", "r", 0,
     query(device_ls)},
    {"progress", "print what is in progress", "mgr", "r", 0, query(progress)},
    {"progress json", "print what is in progress as JSON", "mgr", "r", 0, query(progress_json)},
    {"crash ls", "list crashes", "mgr", "r", 0, query(crash_ls)},
    {"crash ls-new", "list crashes not yet archived", "mgr", "r", 0, query(crash_ls)},
};

}  // namespace

void add_mgr_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
