// SPDX-License-Identifier: LGPL-2.1-or-later
// Authentication entities. There are none while everyone is let in (auth none): lists are empty,
// and what would make or need a key is refused.
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

CommandReply ls(CommandContext&, const Args& a) {
  CommandReply reply = answer(a, json::object(), "");
  reply.outs = "no installed auth entries!\n";
  return reply;
}

CommandReply missing(CommandContext&, const Args& a) {
  return {-ENOENT, "failed to find " + a.str("entity") + " in keyring"};
}

CommandReply exported(CommandContext& c, const Args& a) {
  if (a.has("entity")) return missing(c, a);
  CommandReply reply = CommandReply::text("\n");
  reply.outs = "export auth";
  return reply;
}

CommandReply refuse(CommandContext&, const Args&) {
  return {-EOPNOTSUPP, "the cluster authenticates nobody (auth none): there are no keys"};
}

CommandReply rm(CommandContext&, const Args& a) {
  return said("entity " + a.str("entity") + " does not exist");
}

const CommandRow kRows[] = {
    {"auth export name=entity,type=CephString,req=false",
     "print keys and capabilities as a keyring", "auth", "rx", 0, query(exported)},
    {"auth get name=entity,type=CephString", "print an entity's keyring", "auth", "rx", 0,
     query(missing)},
    {"auth get-key name=entity,type=CephString", "print an entity's key", "auth", "rx", 0,
     query(missing)},
    {"auth print-key name=entity,type=CephString", "print an entity's key", "auth", "rx", 0,
     query(missing)},
    {"auth print_key name=entity,type=CephString", "print an entity's key", "auth", "rx", 0,
     query(missing)},
    {"auth list", "list entities", "auth", "rx", command::kFlagDeprecated, query(ls)},
    {"auth ls", "list entities", "auth", "rx", 0, query(ls)},
    {"auth import", "take over a keyring from the input", "auth", "rwx", 0, query(refuse)},
    {"auth add name=entity,type=CephString name=caps,type=CephString,n=N,req=false",
     "add an entity", "auth", "rwx", 0, query(refuse)},
    {"auth get-or-create-key name=entity,type=CephString name=caps,type=CephString,n=N,req=false",
     "print an entity's key, made if need be", "auth", "rwx", 0, query(refuse)},
    {"auth get-or-create name=entity,type=CephString name=caps,type=CephString,n=N,req=false",
     "print an entity's keyring, made if need be", "auth", "rwx", 0, query(refuse)},
    {"auth caps name=entity,type=CephString name=caps,type=CephString,n=N",
     "set an entity's capabilities", "auth", "rwx", 0, query(refuse)},
    {"auth del name=entity,type=CephString", "remove an entity", "auth", "rwx",
     command::kFlagDeprecated, query(rm)},
    {"auth rm name=entity,type=CephString", "remove an entity", "auth", "rwx", 0, query(rm)},
};

}  // namespace

void add_auth_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
