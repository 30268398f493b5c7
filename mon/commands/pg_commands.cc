// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to PGs: scrub, repair, recovery priorities. They are checked and then refused until OSDs
// can do what is asked for: an operator must not believe that a scrub ran.
#include <fmt/format.h>

#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

CommandReply check_pgs(CommandContext& c, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    const Result<PgId> pg = PgId::parse(word);
    if (!pg) return {-EINVAL, "invalid pgid '" + word + "'"};
    if (!c.services.osd.map().pg_exists(*pg))
      return {-ENOENT, fmt::format("pg {} does not exist", pg->to_string())};
  }
  return {};
}

CommandReply scrub(CommandContext& c, const Args& a) {
  CommandReply checked = check_pgs(c, {a.pgid("pgid").to_string()});
  if (checked.rc) return checked;
  return {-EOPNOTSUPP, "scrubbing and repair are not supported"};
}

CommandReply force(CommandContext& c, const Args& a) {
  CommandReply checked = check_pgs(c, a.strings("pgid"));
  if (checked.rc) return checked;
  return {-EOPNOTSUPP, "recovery priorities are not supported"};
}

CommandReply pool_request(CommandContext& c, const Args& a) {
  for (const std::string& name : a.strings("who"))
    if (!c.services.osd.map().find_pool(name)) return {-ENOENT, "unrecognized pool '" + name + "'"};
  return {-EOPNOTSUPP, "scrubbing and recovery priorities are not supported"};
}

CommandReply force_create(CommandContext& c, const Args& a) {
  CommandReply checked = check_pgs(c, {a.pgid("pgid").to_string()});
  if (checked.rc) return checked;
  return {-EOPNOTSUPP, "creating PGs anew is not supported"};
}

const CommandRow kRows[] = {
    {"pg scrub name=pgid,type=CephPgid", "scrub a PG", "pg", "rw", 0, query(scrub)},
    {"pg deep-scrub name=pgid,type=CephPgid", "deep-scrub a PG", "pg", "rw", 0, query(scrub)},
    {"pg repair name=pgid,type=CephPgid", "repair a PG", "pg", "rw", 0, query(scrub)},
    {"pg force-recovery name=pgid,type=CephPgid,n=N", "recover PGs first", "pg", "rw", 0,
     query(force)},
    {"pg force-backfill name=pgid,type=CephPgid,n=N", "backfill PGs first", "pg", "rw", 0,
     query(force)},
    {"pg cancel-force-recovery name=pgid,type=CephPgid,n=N", "recover PGs in their turn", "pg",
     "rw", 0, query(force)},
    {"pg cancel-force-backfill name=pgid,type=CephPgid,n=N", "backfill PGs in their turn", "pg",
     "rw", 0, query(force)},
    {"pg repeer name=pgid,type=CephPgid", "let a PG peer again", "osd", "rw", 0, query(scrub)},
    {"osd pool scrub name=who,type=CephPoolname,n=N", "scrub pools", "osd", "rw", 0,
     query(pool_request)},
    {"osd pool deep-scrub name=who,type=CephPoolname,n=N", "deep-scrub pools", "osd", "rw", 0,
     query(pool_request)},
    {"osd pool repair name=who,type=CephPoolname,n=N", "repair pools", "osd", "rw", 0,
     query(pool_request)},
    {"osd pool force-recovery name=who,type=CephPoolname,n=N", "recover pools first", "osd", "rw",
     0, query(pool_request)},
    {"osd pool force-backfill name=who,type=CephPoolname,n=N", "backfill pools first", "osd", "rw",
     0, query(pool_request)},
    {"osd pool cancel-force-recovery name=who,type=CephPoolname,n=N", "recover pools in their turn",
     "osd", "rw", 0, query(pool_request)},
    {"osd pool cancel-force-backfill name=who,type=CephPoolname,n=N",
     "backfill pools in their turn", "osd", "rw", 0, query(pool_request)},
    {"osd force-create-pg name=pgid,type=CephPgid "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "create a PG anew, empty", "osd", "rw", 0, query(force_create)},
};

}  // namespace

void add_pg_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
