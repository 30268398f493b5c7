// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes of the OSD map as a whole: flags, ratios, limits, blocklist, upmaps and other placements
// by hand, maps given as blobs.
#include <fmt/format.h>

#include <algorithm>

#include "common/command/format.h"
#include "common/map/osd_map_dump.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using Text = Result<std::string>;

// ---- flags
// ----------------------------------------------------------------------------------------

Text change_flag(OsdDraft& d, const std::string& key, bool on) {
  if (key == "full" || key == "nearfull") return fail(EINVAL, "unrecognized flag '" + key + "'");
  const uint32_t flag = map::osdmap_flag_from(key);
  if (!flag) return fail(EINVAL, "unrecognized flag '" + key + "'");
  d.set_flags(on ? flag : 0, on ? 0 : flag);
  d.urgent = (flag & (map::kMapPauseRead | map::kMapPauseWrite)) != 0;
  return (key == "pause" ? "pauserd,pausewr" : key) + (on ? " is set" : " is unset");
}

Text set_flag(CommandContext&, const Args& a, OsdDraft& d) {
  return change_flag(d, a.str("key"), true);
}
Text unset_flag(CommandContext&, const Args& a, OsdDraft& d) {
  return change_flag(d, a.str("key"), false);
}
Text pause(CommandContext&, const Args&, OsdDraft& d) {
  return change_flag(d, "pause", true);
}
Text unpause(CommandContext&, const Args&, OsdDraft& d) {
  return change_flag(d, "pause", false);
}

Result<uint32_t> parse_group_flags(const std::string& text) {
  uint32_t flags = 0;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(',', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (word == "noup")
      flags |= map::kOsdNoUp;
    else if (word == "nodown")
      flags |= map::kOsdNoDown;
    else if (word == "noin")
      flags |= map::kOsdNoIn;
    else if (word == "noout")
      flags |= map::kOsdNoOut;
    else
      return fail(EINVAL,
                  "unrecognized flag '" + word + "', must be one of {noup,nodown,noin,noout}");
    at = end + 1;
  }
  return flags;
}

Text change_group(const Args& a, OsdDraft& d, bool on) {
  TRY(flags, parse_group_flags(a.str("flags")));
  for (const std::string& who : a.strings("who")) {
    const auto item = d.now.crush->find_item(who);
    if (item && *item < 0) {
      const auto old = d.now.crush_node_flags.find(*item);
      const uint32_t before = old == d.now.crush_node_flags.end() ? 0 : old->second;
      d.inc.new_crush_node_flags[*item] = on ? before | flags : before & ~flags;
      continue;
    }
    TRY(osds, parse_osds(d.now, {who}));
    for (OsdId osd : osds) {
      TRY_VOID(check_osd(d.now, osd));
      d.set_state(osd, on ? flags : 0, on ? 0 : flags);
    }
  }
  return "";
}
Text set_group(CommandContext&, const Args& a, OsdDraft& d) {
  return change_group(a, d, true);
}
Text unset_group(CommandContext&, const Args& a, OsdDraft& d) {
  return change_group(a, d, false);
}

/// `osd add-noup 1 2`: the flag is in the command's name.
Text one_group_flag(CommandContext&, const Args& a, OsdDraft& d) {
  const bool on = a.prefix().compare(0, 8, "osd add-") == 0;
  TRY(flags, parse_group_flags(a.prefix().substr(on ? 8 : 7)));
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  for (OsdId osd : osds) {
    TRY_VOID(check_osd(d.now, osd));
    d.set_state(osd, on ? flags : 0, on ? 0 : flags);
  }
  return "";
}

// ---- ratios and limits
// ----------------------------------------------------------------------------

Text set_ratio(CommandContext&, const Args& a, OsdDraft& d) {
  const auto ratio = static_cast<float>(a.real("ratio"));
  if (a.prefix() == "osd set-full-ratio")
    d.inc.new_full_ratio = ratio;
  else if (a.prefix() == "osd set-backfillfull-ratio")
    d.inc.new_backfillfull_ratio = ratio;
  else
    d.inc.new_nearfull_ratio = ratio;
  d.urgent = true;
  return a.prefix() + " " + command::general(a.real("ratio"));
}

Text set_max_osd(CommandContext& c, const Args& a, OsdDraft& d) {
  const int64_t n = a.integer("newmax");
  if (n > c.services.config.mon_max_osd())
    return fail(ERANGE, fmt::format("cannot set max_osd to {} which is > conf.mon_max_osd ({})", n,
                                    c.services.config.mon_max_osd()));
  for (OsdId osd : d.now.osds())
    if (osd >= n)
      return fail(EBUSY,
                  fmt::format("cannot shrink max_osd to {} because osd.{} (and possibly others) "
                              "still in use",
                              n, osd));
  d.inc.new_max_osd = static_cast<int32_t>(n);
  return fmt::format("set new max_osd = {}", n);
}

Text require_min_compat(CommandContext&, const Args& a, OsdDraft& d) {
  const std::string name = a.str("version");
  const uint8_t release = map::release_from(name);
  if (!release) return fail(EINVAL, name + " is not recognized");
  if (release < map::min_compat_client(d.now))
    return fail(EPERM, fmt::format("osdmap current utilizes features that require {}; cannot set "
                                   "require_min_compat_client below that to {}",
                                   map::release_name(map::min_compat_client(d.now)), name));
  d.inc.new_require_min_compat_client = release;
  return "set require_min_compat_client to " + name;
}

Text require_osd_release(CommandContext&, const Args& a, OsdDraft& d) {
  const std::string name = a.str("release");
  const uint8_t release = map::release_from(name);
  if (!release) return fail(EINVAL, "unrecognized release " + name);
  if (release < d.now.require_osd_release)
    return fail(EPERM, "require_osd_release cannot be lowered once it has been set");
  d.inc.new_require_osd_release = release;
  return "";
}

// ---- blocklist
// ------------------------------------------------------------------------------------

constexpr double kDefaultBlockSeconds = 3600;

Result<EntityAddr> parse_client_addr(const std::string& text) {
  Result<EntityAddr> addr = EntityAddr::parse(text);
  if (!addr) addr = EntityAddr::parse(text + ":0/0");
  if (!addr) return fail(EINVAL, "unable to parse address " + text);
  // As clients look themselves up: without a protocol.
  addr->type = EntityAddr::kAny;
  return addr;
}

Text change_blocklist(CommandContext& c, const Args& a, OsdDraft& d) {
  const bool old_name = a.prefix() == "osd blacklist";
  if (!old_name && a.has("range")) return fail(EOPNOTSUPP, "ranges are not supported");
  const std::string op = a.str(old_name ? "blacklistop" : "blocklistop");
  TRY(addr, parse_client_addr(a.str("addr")));
  const std::string name = addr.ip_port_nonce();
  d.urgent = true;
  if (op == "add") {
    const double seconds = a.real_or("expire", kDefaultBlockSeconds);
    const Utime until = later(c.services.runtime.clock().wall(), seconds);
    d.inc.new_blocklist[addr] = until;
    std::erase(d.inc.old_blocklist, addr);
    return fmt::format("blocklisting {} until {} ({} sec)", name, until.to_string(),
                       command::general(seconds));
  }
  const bool is_listed = d.now.blocklist.count(addr) != 0;
  if (!is_listed) return name + " isn't blocklisted";
  d.inc.new_blocklist.erase(addr);
  if (d.base.blocklist.count(addr)) d.inc.old_blocklist.push_back(addr);
  return "un-blocklisting " + name;
}

Text clear_blocklist(CommandContext&, const Args&, OsdDraft& d) {
  d.inc.new_blocklist.clear();
  d.inc.old_blocklist.clear();
  for (const auto& [addr, _] : d.base.blocklist) d.inc.old_blocklist.push_back(addr);
  d.urgent = true;
  return " removed all blocklist entries";
}

CommandReply list_blocklist(CommandContext& c, const Args& a) {
  const map::Blocklist& list = c.services.osd.map().blocklist;
  json::array entries;
  std::string plain;
  for (const auto& [addr, until] : list) {
    entries.push_back(json::object{{"addr", addr.ip_port_nonce()}, {"until", until.to_string()}});
    plain += addr.ip_port_nonce() + " " + until.to_string() + "\n";
  }
  CommandReply reply = answer(a, entries, std::move(plain));
  // Ceph prints the ranges as a second document.
  if (wants_json(a)) reply.out = Bytes::take(reply.out.to_string() + "[]");
  reply.outs = fmt::format("listed {} entries", list.size());
  return reply;
}

// ---- placement by hand
// ----------------------------------------------------------------------------

Result<PgId> existing_pg(const Args& a, const OsdDraft& d) {
  const PgId pg = a.pgid("pgid");
  if (!d.now.pg_exists(pg))
    return fail(ENOENT, fmt::format("pg {} does not exist", pg.to_string()));
  return pg;
}

Result<std::vector<OsdId>> listed_osds(const Args& a, const OsdDraft& d) {
  std::vector<OsdId> out;
  for (const std::string& word : texts(a, "id")) {
    TRY(osd, command::parse_osd_name(word));
    TRY_VOID(check_osd(d.now, osd));
    out.push_back(osd);
  }
  return out;
}

Result<> check_upmap_clients(const OsdDraft& d) {
  static constexpr uint8_t kLuminous = 12;
  if (d.now.require_min_compat_client >= kLuminous) return {};
  return fail(EPERM,
              "min_compat_client < luminous, which is required for pg-upmap. Try 'ceph osd "
              "set-require-min-compat-client luminous' before using the new interface");
}

/// At most one replica in each bucket that the pool's rule separates replicas by.
Result<> check_upmap(const OsdDraft& d, PgId pg, const std::vector<OsdId>& osds) {
  const map::PgPool& pool = *d.now.pool(pg.pool);
  std::vector<OsdId> sorted = osds;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    return fail(EINVAL, fmt::format("osd.{} already exists in the set", *twice));
  const auto shares = d.now.crush->device_shares_of_rule(pool.crush_rule);
  for (OsdId osd : osds)
    if (!shares.count(osd))
      return fail(EINVAL,
                  fmt::format("osd.{} is not below the root of rule {}", osd, pool.crush_rule));
  return {};
}

Text pg_upmap(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  TRY_VOID(check_upmap_clients(d));
  TRY(osds, listed_osds(a, d));
  const map::PgPool& pool = *d.now.pool(pg.pool);
  if (osds.size() < pool.min_size)
    return fail(EINVAL,
                fmt::format("num of osds ({}) < pool min size ({})", osds.size(), pool.min_size));
  if (osds.size() > pool.size)
    return fail(EINVAL, fmt::format("num of osds ({}) > pool size ({})", osds.size(), pool.size));
  TRY_VOID(check_upmap(d, pg, osds));
  d.inc.old_pg_upmap.erase(pg);
  d.inc.new_pg_upmap[pg] = osds;
  return fmt::format("set {} pg_upmap mapping to {}", pg.to_string(), osds_text(osds));
}

Text rm_pg_upmap(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  if (!d.now.pg_upmap.count(pg)) return "";
  d.inc.new_pg_upmap.erase(pg);
  if (d.base.pg_upmap.count(pg)) d.inc.old_pg_upmap.insert(pg);
  return fmt::format("clear {} pg_upmap mapping", pg.to_string());
}

Text pg_upmap_items(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  TRY_VOID(check_upmap_clients(d));
  TRY(osds, listed_osds(a, d));
  if (osds.size() % 2) return fail(EINVAL, "you must specify pairs of osd ids: from to ...");
  const map::PgPool& pool = *d.now.pool(pg.pool);
  if (osds.size() / 2 > pool.size)
    return fail(EINVAL,
                fmt::format("num of osd pairs ({}) > pool size ({})", osds.size() / 2, pool.size));
  map::UpmapItems items;
  std::string text;
  std::vector<OsdId> to_list;
  for (size_t i = 0; i < osds.size(); i += 2) {
    if (osds[i] == osds[i + 1])
      return fail(EINVAL, fmt::format("from osd.{} == to osd.{}, skipping", osds[i], osds[i]));
    items.emplace_back(osds[i], osds[i + 1]);
    to_list.push_back(osds[i + 1]);
    text += fmt::format("{}{}->{}", i ? "," : "", osds[i], osds[i + 1]);
  }
  TRY_VOID(check_upmap(d, pg, to_list));
  d.inc.old_pg_upmap_items.erase(pg);
  d.inc.new_pg_upmap_items[pg] = std::move(items);
  return fmt::format("set {} pg_upmap_items mapping to [{}]", pg.to_string(), text);
}

Text rm_pg_upmap_items(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  if (!d.now.pg_upmap_items.count(pg)) return "";
  d.inc.new_pg_upmap_items.erase(pg);
  if (d.base.pg_upmap_items.count(pg)) d.inc.old_pg_upmap_items.insert(pg);
  return fmt::format("clear {} pg_upmap_items mapping", pg.to_string());
}

Text pg_temp(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  TRY(osds, listed_osds(a, d));
  d.inc.new_pg_temp[pg] = osds;
  return fmt::format("set {} pg_temp mapping to {}", pg.to_string(), osds_text(osds));
}

Text primary_temp(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(pg, existing_pg(a, d));
  const OsdId osd = a.osd("id");
  if (osd >= 0) TRY_VOID(check_osd(d.now, osd));
  d.inc.new_primary_temp[pg] = osd;
  return fmt::format("set {} primary_temp mapping to {}", pg.to_string(), osd);
}

// ---- erasure code profiles
// ------------------------------------------------------------------------

Text set_profile(CommandContext&, const Args& a, OsdDraft& d) {
  const std::string name = a.str("name");
  map::EcProfile profile;
  for (const std::string& word : a.strings("profile")) {
    const size_t eq = word.find('=');
    profile[word.substr(0, eq)] = eq == std::string::npos ? "" : word.substr(eq + 1);
  }
  const auto old = d.now.erasure_code_profiles.find(name);
  if (old != d.now.erasure_code_profiles.end() && old->second != profile && !a.flag("force"))
    return fail(
        EPERM, "will not override erasure code profile " + name +
                   " because the existing profile is different from the proposed one; use --force");
  d.inc.new_erasure_code_profiles[name] = std::move(profile);
  return "";
}

Text rm_profile(CommandContext&, const Args& a, OsdDraft& d) {
  const std::string name = a.str("name");
  if (!d.now.erasure_code_profiles.count(name))
    return "erasure-code-profile " + name + " does not exist";
  for (const auto& [id, pool] : d.now.pools)
    if (pool.erasure_code_profile == name)
      return fail(EBUSY, d.now.pool_name(id) + " is using the erasure code profile " + name);
  d.inc.new_erasure_code_profiles.erase(name);
  if (d.base.erasure_code_profiles.count(name)) d.inc.old_erasure_code_profiles.push_back(name);
  return "";
}

const CommandRow kRows[] = {
    {"osd set name=key,type=CephChoices,strings=full|pause|noup|nodown|noout|noin|nobackfill|"
     "norebalance|norecover|noscrub|nodeep-scrub|notieragent|nosnaptrim|pglog_hardlimit "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "set a flag of the whole cluster", "osd", "rw", 0, edits(set_flag)},
    {"osd unset name=key,type=CephChoices,strings=full|pause|noup|nodown|noout|noin|nobackfill|"
     "norebalance|norecover|noscrub|nodeep-scrub|notieragent|nosnaptrim",
     "clear a flag of the whole cluster", "osd", "rw", 0, edits(unset_flag)},
    {"osd pause", "stop client reads and writes", "osd", "rw", 0, edits(pause)},
    {"osd unpause", "let client reads and writes go on", "osd", "rw", 0, edits(unpause)},
    {"osd set-group name=flags,type=CephString name=who,type=CephString,n=N",
     "set flags (comma separated) of OSDs or CRUSH buckets", "osd", "rw", 0, edits(set_group)},
    {"osd unset-group name=flags,type=CephString name=who,type=CephString,n=N",
     "clear flags (comma separated) of OSDs or CRUSH buckets", "osd", "rw", 0, edits(unset_group)},
    {"osd add-noup name=ids,type=CephString,n=N", "forbid OSDs to come up", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd add-nodown name=ids,type=CephString,n=N", "forbid to mark OSDs down", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd add-noin name=ids,type=CephString,n=N", "forbid to mark OSDs in at boot", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd add-noout name=ids,type=CephString,n=N", "forbid to mark OSDs out by themselves", "osd",
     "rw", command::kFlagDeprecated, edits(one_group_flag)},
    {"osd rm-noup name=ids,type=CephString,n=N", "allow OSDs to come up", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd rm-nodown name=ids,type=CephString,n=N", "allow to mark OSDs down", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd rm-noin name=ids,type=CephString,n=N", "allow to mark OSDs in at boot", "osd", "rw",
     command::kFlagDeprecated, edits(one_group_flag)},
    {"osd rm-noout name=ids,type=CephString,n=N", "allow to mark OSDs out by themselves", "osd",
     "rw", command::kFlagDeprecated, edits(one_group_flag)},
    {"osd set-full-ratio name=ratio,type=CephFloat,range=0.0|1.0",
     "ratio of use from which OSDs are full", "osd", "rw", 0, edits(set_ratio)},
    {"osd set-backfillfull-ratio name=ratio,type=CephFloat,range=0.0|1.0",
     "ratio of use from which OSDs take no backfill", "osd", "rw", 0, edits(set_ratio)},
    {"osd set-nearfull-ratio name=ratio,type=CephFloat,range=0.0|1.0",
     "ratio of use from which OSDs are near full", "osd", "rw", 0, edits(set_ratio)},
    {"osd setmaxosd name=newmax,type=CephInt,range=0", "set the number of OSD slots", "osd", "rw",
     0, edits(set_max_osd)},
    {"osd set-require-min-compat-client name=version,type=CephString "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "set the oldest client release that the cluster keeps features for", "osd", "rw", 0,
     edits(require_min_compat)},
    {"osd require-osd-release "
     "name=release,type=CephChoices,strings=luminous|mimic|nautilus|octopus|pacific "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "set the oldest OSD release that may take part", "osd", "rw", 0, edits(require_osd_release)},
    {"osd blocklist name=range,type=CephString,goodchars=[range],req=false "
     "name=blocklistop,type=CephChoices,strings=add|rm name=addr,type=CephEntityAddr "
     "name=expire,type=CephFloat,range=0.0,req=false",
     "shut out a client address for some seconds (default an hour), or let it in again", "osd",
     "rw", 0, edits(change_blocklist)},
    {"osd blocklist ls", "list client addresses that are shut out", "osd", "r", 0,
     query(list_blocklist)},
    {"osd blocklist clear", "let all client addresses in again", "osd", "rw", 0,
     edits(clear_blocklist)},
    {"osd blacklist name=blacklistop,type=CephChoices,strings=add|rm name=addr,type=CephEntityAddr "
     "name=expire,type=CephFloat,range=0.0,req=false",
     "old name of osd blocklist", "osd", "rw", command::kFlagDeprecated, edits(change_blocklist)},
    {"osd blacklist ls", "old name of osd blocklist ls", "osd", "r", command::kFlagDeprecated,
     query(list_blocklist)},
    {"osd blacklist clear", "old name of osd blocklist clear", "osd", "rw",
     command::kFlagDeprecated, edits(clear_blocklist)},
    {"osd pg-upmap name=pgid,type=CephPgid name=id,type=CephOsdName,n=N",
     "place a PG on exactly these OSDs", "osd", "rw", 0, edits(pg_upmap)},
    {"osd rm-pg-upmap name=pgid,type=CephPgid", "undo osd pg-upmap", "osd", "rw", 0,
     edits(rm_pg_upmap)},
    {"osd pg-upmap-items name=pgid,type=CephPgid name=id,type=CephOsdName,n=N",
     "place a PG with OSDs replaced by others: from to [from to ...]", "osd", "rw", 0,
     edits(pg_upmap_items)},
    {"osd rm-pg-upmap-items name=pgid,type=CephPgid", "undo osd pg-upmap-items", "osd", "rw", 0,
     edits(rm_pg_upmap_items)},
    {"osd pg-temp name=pgid,type=CephPgid name=id,type=CephOsdName,n=N,req=false",
     "set the acting OSDs of a PG for a while (developers only)", "osd", "rw", 0, edits(pg_temp)},
    {"osd primary-temp name=pgid,type=CephPgid name=id,type=CephOsdName",
     "set the primary of a PG for a while; -1 ends it (developers only)", "osd", "rw", 0,
     edits(primary_temp)},
    {"osd erasure-code-profile set name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=profile,type=CephString,n=N,req=false name=force,type=CephBool,req=false",
     "keep an erasure code profile of key=value words", "osd", "rw", 0, edits(set_profile)},
    {"osd erasure-code-profile rm name=name,type=CephString,goodchars=[A-Za-z0-9-_.]",
     "remove an erasure code profile", "osd", "rw", 0, edits(rm_profile)},
};

}  // namespace

void add_osd_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
