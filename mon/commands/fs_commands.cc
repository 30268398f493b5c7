// SPDX-License-Identifier: LGPL-2.1-or-later
// File systems: there are none yet. Questions are answered so, requests refused.
#include <fmt/format.h>

#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

CommandReply ls(CommandContext&, const Args& a) {
  return answer(a, json::array(), "No filesystems enabled\n");
}

CommandReply dump(CommandContext& c, const Args& a) {
  const std::optional<int64_t> e = a.opt_int("epoch");
  if (e && *e != 0 && *e != c.services.fsmap.epoch)
    return {-ENOENT, fmt::format("there is no map for epoch {}", *e)};
  CommandReply reply =
      answer(a, map::dump_fs_map(c.services.fsmap), map::print_fs_map(c.services.fsmap));
  reply.outs = fmt::format("dumped fsmap epoch {}", c.services.fsmap.epoch);
  return reply;
}

CommandReply mds_stat(CommandContext& c, const Args& a) {
  return answer(a,
                json::object{{"fsmap", map::dump_fs_map(c.services.fsmap)},
                             {"mdsmap_first_committed", c.services.fsmap.epoch},
                             {"mdsmap_last_committed", c.services.fsmap.epoch}},
                "");
}

CommandReply missing(CommandContext&, const Args& a) {
  return {-ENOENT, "filesystem '" + a.str("fs_name") + "' not found"};
}

CommandReply refuse(CommandContext&, const Args&) {
  return {-EOPNOTSUPP, "file systems are not supported yet"};
}
CommandReply empty_object(CommandContext&, const Args& a) {
  return answer_json(a, json::object());
}
CommandReply empty_list(CommandContext&, const Args& a) {
  return answer_json(a, json::array());
}

CommandReply status(CommandContext&, const Args& a) {
  return answer(a,
                json::object{{"clients", json::array()},
                             {"mds_version", json::array()},
                             {"mdsmap", json::array()},
                             {"pools", json::array()}},
                "\n");
}

const CommandRow kRows[] = {
    {"fs ls", "list file systems", "fs", "r", 0, query(ls)},
    {"fs dump name=epoch,type=CephInt,range=0,req=false", "print the file system map", "mds", "r",
     0, query(dump)},
    {"fs get name=fs_name,type=CephString", "print a file system", "fs", "r", 0, query(missing)},
    {"fs status name=fs,type=CephString,req=false", "print the state of file systems", "mgr", "r",
     0, query(status)},
    {"fs new name=fs_name,type=CephString,goodchars=[A-Za-z0-9-_.] name=metadata,type=CephString "
     "name=data,type=CephString name=force,type=CephBool,req=false "
     "name=allow_dangerous_metadata_overlay,type=CephBool,req=false "
     "name=fscid,type=CephInt,range=0,req=false "
     "name=recover,type=CephBool,req=false",
     "make a file system of two pools", "fs", "rw", 0, query(refuse)},
    {"fs rm name=fs_name,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false",
     "remove a file system", "fs", "rw", 0, query(missing)},
    {"fs fail name=fs_name,type=CephString", "take a file system down", "fs", "rw", 0,
     query(missing)},
    {"mds stat", "print MDS daemons in one line", "mds", "r", command::kFlagHidden,
     query(mds_stat)},
    {"mds metadata name=who,type=CephString,req=false", "print what MDS daemons say of themselves",
     "mds", "r", 0, query(empty_list)},
    {"mds count-metadata name=property,type=CephString",
     "count MDS daemons by a property of theirs", "mds", "r", 0, query(empty_object)},
    {"mds versions", "count MDS daemons by version", "mds", "r", 0, query(empty_object)},
};

}  // namespace

void add_fs_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
