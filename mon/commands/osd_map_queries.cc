// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions about the OSD map, of any epoch that is kept: dump, tree, ls, getmap, ...
#include <fmt/format.h>

#include <algorithm>

#include "common/map/osd_map_dump.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using map::OSDMap;

/// A question about a map that may be an old one: the argument "epoch".
using MapQuery = CommandReply (*)(CommandContext&, const Args&, const OSDMap&);

Task<CommandReply> ask_map(MapQuery fn, CommandContext& c, const Args& a) {
  const std::optional<int64_t> wanted = a.opt_int("epoch");
  const Epoch now = c.services.osd.epoch();
  if (!wanted || *wanted == 0 || *wanted == now) co_return fn(c, a, c.services.osd.map());
  if (*wanted > UINT32_MAX)
    co_return CommandReply(-ENOENT, fmt::format("there is no map for epoch {}", *wanted));
  const Result<Bytes> blob = co_await c.services.osd.maps().full(static_cast<Epoch>(*wanted));
  if (!blob) co_return CommandReply(blob.error());
  const Result<OSDMap> old = wire::from_bytes<OSDMap>(*blob, "OSD map");
  if (!old) co_return CommandReply(old.error());
  co_return fn(c, a, *old);
}

command::Handler<CommandContext> map_query(MapQuery fn) {
  return [fn](CommandContext& c, const Args& a) { return ask_map(fn, c, a); };
}

CommandReply dump(CommandContext&, const Args& a, const OSDMap& m) {
  return answer(a, wants_json(a) ? map::dump_osd_map(m) : json::object(),
                wants_json(a) ? "" : map::print_osd_map(m));
}

Result<map::TreeFilter> parse_filter(const Args& a) {
  map::TreeFilter f;
  for (const std::string& s : a.strings("states")) {
    f.up |= s == "up";
    f.down |= s == "down";
    f.in |= s == "in";
    f.out |= s == "out";
    f.destroyed |= s == "destroyed";
  }
  if ((f.up && f.down) || (f.in && f.out) || (f.destroyed && (f.up || f.in)))
    return fail(EINVAL, "cannot specify both " + std::string(f.up && f.down ? "'up' and 'down'"
                                                             : f.in && f.out
                                                                 ? "'in' and 'out'"
                                                                 : "'destroyed' and 'up' or 'in'"));
  return f;
}

CommandReply tree_of(const Args& a, const OSDMap& m, std::optional<map::CrushItem> root) {
  const Result<map::TreeFilter> filter = parse_filter(a);
  if (!filter) return CommandReply(filter.error());
  return answer(a, map::dump_osd_tree(m, *filter, root), map::print_osd_tree(m, *filter, root));
}

CommandReply tree(CommandContext&, const Args& a, const OSDMap& m) {
  return tree_of(a, m, {});
}

CommandReply tree_from(CommandContext&, const Args& a, const OSDMap& m) {
  const auto item = m.crush->find_item(a.str("bucket"));
  if (!item) return {-ENOENT, "bucket '" + a.str("bucket") + "' does not exist"};
  if (*item >= 0) return {-EINVAL, "'" + a.str("bucket") + "' is not a bucket"};
  return tree_of(a, m, *item);
}

CommandReply list_ids(const Args& a, const std::vector<OsdId>& osds) {
  json::array ids;
  std::string plain;
  for (OsdId osd : osds) {
    ids.push_back(osd);
    plain += std::to_string(osd) + "\n";
  }
  return answer(a, ids, std::move(plain));
}

CommandReply ls(CommandContext&, const Args& a, const OSDMap& m) {
  return list_ids(a, m.osds());
}

CommandReply ls_tree(CommandContext&, const Args& a, const OSDMap& m) {
  const auto item = m.crush->find_item(a.str("name"));
  if (!item) return {-ENOENT, "\"" + a.str("name") + "\" does not exist"};
  std::vector<OsdId> osds;
  for (OsdId osd : m.crush->devices_under(*item))
    if (m.exists(osd)) osds.push_back(osd);
  return list_ids(a, osds);
}

CommandReply getmap(CommandContext& c, const Args&, const OSDMap& m) {
  CommandReply reply = said(fmt::format("got osdmap epoch {}", m.epoch));
  reply.out =
      m.epoch == c.services.osd.epoch() ? c.services.osd.maps().newest_full() : wire::to_bytes(m);
  return reply;
}

CommandReply getcrushmap(CommandContext&, const Args&, const OSDMap& m) {
  CommandReply reply = said(std::to_string(m.crush_version));
  reply.out = m.crush.blob();
  return reply;
}

// ---- the newest map
// -------------------------------------------------------------------------------

CommandReply stat(CommandContext& c, const Args& a) {
  const OSDMap& m = c.services.osd.map();
  const double now = c.services.runtime.clock().wall().seconds();
  int64_t remapped = 0;
  for (const auto& [_, pg] : c.services.stats.pg_map().pgs)
    remapped += (pg.state & map::kPgRemapped) != 0;
  json::object o{{"epoch", m.epoch},
                 {"num_osds", m.num_osds()},
                 {"num_up_osds", m.num_up_osds()},
                 {"osd_up_since", m.last_up_change.sec},
                 {"num_in_osds", m.num_in_osds()},
                 {"osd_in_since", m.last_in_change.sec},
                 {"num_remapped_pgs", remapped}};
  const auto since = [now](const Utime& t) {
    return t.is_zero() ? std::string() : " (since " + since_text(now - t.seconds()) + ")";
  };
  std::string plain =
      fmt::format("{} osds: {} up{}, {} in{}; epoch: e{}", m.num_osds(), m.num_up_osds(),
                  since(m.last_up_change), m.num_in_osds(), since(m.last_in_change), m.epoch);
  if (remapped) plain += fmt::format("; {} remapped pgs", remapped);
  plain += "\n";
  // The flags that every cluster has are not worth a line.
  const uint32_t flags = m.flags & ~map::kMapBaseFlags;
  if (flags) plain += "flags " + map::osdmap_flags_text(flags) + "\n";
  return answer(a, o, std::move(plain));
}

CommandReply getmaxosd(CommandContext& c, const Args& a) {
  const OSDMap& m = c.services.osd.map();
  return answer(a, json::object{{"epoch", m.epoch}, {"max_osd", m.max_osd}},
                fmt::format("max_osd = {} in epoch {}\n", m.max_osd, m.epoch));
}

CommandReply info(CommandContext& c, const Args& a) {
  const OSDMap& m = c.services.osd.map();
  const json::object whole = map::dump_osd_map(m);
  json::array found;
  std::string plain;
  const std::optional<OsdId> only = a.has("id") ? std::optional<OsdId>(a.osd("id")) : std::nullopt;
  if (only)
    if (const Result<> known = check_osd(m, *only); !known)
      return {-EINVAL, fmt::format("osd.{} does not exist", *only)};
  for (const auto& o : whole.at("osds").as_array())
    if (!only || o.at("osd").as_int64() == *only) found.push_back(o);
  std::string text = map::print_osd_map(m);
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.compare(0, 4, "osd.") == 0 &&
        (!only || line.compare(0, line.find(' '), fmt::format("osd.{}", *only)) == 0))
      plain += line + "\n";
    at = end + 1;
  }
  if (only && !found.empty()) return answer(a, found[0], std::move(plain));
  return answer(a, found, std::move(plain));
}

CommandReply map_object(CommandContext& c, const Args& a) {
  const OSDMap& m = c.services.osd.map();
  const auto pool = m.find_pool(a.str("pool"));
  if (!pool) return {-ENOENT, "pool " + a.str("pool") + " does not exist"};
  const std::string object = a.str("object"), nspace = a.str_or("nspace", "");
  const PgId raw{*pool, map::PgPool::hash_object(object, "", nspace)};
  const PgId pg = m.reduce(raw);
  const map::PgMapping where = m.map_pg(pg);
  const std::string full_name = nspace.empty() ? object : nspace + "/" + object;
  json::object o{
      {"epoch", m.epoch}, {"pool", a.str("pool")}, {"pool_id", *pool}, {"objname", full_name}};
  o["raw_pgid"] = raw.to_string();
  o["pgid"] = pg.to_string();
  o["up"] = osds_json(where.up);
  o["up_primary"] = where.up_primary;
  o["acting"] = osds_json(where.acting);
  o["acting_primary"] = where.acting_primary;
  return answer(a, o,
                fmt::format("osdmap e{} pool '{}' ({}) object '{}' -> pg {} ({}) -> up ({}, p{}) "
                            "acting ({}, p{})\n",
                            m.epoch, a.str("pool"), *pool, full_name, raw.to_string(),
                            pg.to_string(), osds_text(where.up), where.up_primary,
                            osds_text(where.acting), where.acting_primary));
}

CommandReply get_min_compat(CommandContext& c, const Args& a) {
  const std::string name = map::release_name(c.services.osd.map().require_min_compat_client);
  return answer(a, json::value(name), name + "\n");
}

CommandReply profile_ls(CommandContext& c, const Args& a) {
  json::array names;
  std::string plain;
  for (const auto& [name, _] : c.services.osd.map().erasure_code_profiles) {
    names.push_back(json::value(name));
    plain += name + "\n";
  }
  return answer(a, names, std::move(plain));
}

CommandReply profile_get(CommandContext& c, const Args& a) {
  const auto& profiles = c.services.osd.map().erasure_code_profiles;
  const auto it = profiles.find(a.str("name"));
  if (it == profiles.end())
    return {-ENOENT, "unknown erasure code profile '" + a.str("name") + "'"};
  json::object o;
  std::string plain;
  for (const auto& [k, v] : it->second) {
    o[k] = v;
    plain += k + "=" + v + "\n";
  }
  return answer(a, o, std::move(plain));
}

const CommandRow kRows[] = {
    {"osd stat", "how many OSDs there are, up and in", "osd", "r", 0, query(stat)},
    {"osd dump name=epoch,type=CephInt,range=0,req=false", "print the OSD map", "osd", "r", 0,
     map_query(dump)},
    {"osd info name=id,type=CephOsdName,req=false", "print the map's line of one or all OSDs",
     "osd", "r", 0, query(info)},
    {"osd tree name=epoch,type=CephInt,range=0,req=false "
     "name=states,type=CephChoices,strings=up|down|in|out|destroyed,n=N,req=false",
     "print the CRUSH tree with its OSDs", "osd", "r", 0, map_query(tree)},
    {"osd tree-from name=epoch,type=CephInt,range=0,req=false name=bucket,type=CephString "
     "name=states,type=CephChoices,strings=up|down|in|out|destroyed,n=N,req=false",
     "print the CRUSH tree below a bucket", "osd", "r", 0, map_query(tree_from)},
    {"osd ls name=epoch,type=CephInt,range=0,req=false", "list the ids of all OSDs", "osd", "r", 0,
     map_query(ls)},
    {"osd ls-tree name=epoch,type=CephInt,range=0,req=false name=name,type=CephString,req=true",
     "list the ids of the OSDs below a bucket", "osd", "r", 0, map_query(ls_tree)},
    {"osd getmap name=epoch,type=CephInt,range=0,req=false", "fetch the OSD map as a file", "osd",
     "r", 0, map_query(getmap)},
    {"osd getcrushmap name=epoch,type=CephInt,range=0,req=false", "fetch the CRUSH map as a file",
     "osd", "r", 0, map_query(getcrushmap)},
    {"osd getmaxosd", "print the number of OSD slots", "osd", "r", 0, query(getmaxosd)},
    {"osd map name=pool,type=CephPoolname name=object,type=CephObjectname "
     "name=nspace,type=CephString,req=false",
     "print where an object is or would be", "osd", "r", 0, query(map_object)},
    {"osd get-require-min-compat-client", "print the oldest client release that may connect", "osd",
     "r", 0, query(get_min_compat)},
    {"osd erasure-code-profile ls", "list erasure code profiles", "osd", "r", 0, query(profile_ls)},
    {"osd erasure-code-profile get name=name,type=CephString,goodchars=[A-Za-z0-9-_.]",
     "print an erasure code profile", "osd", "r", 0, query(profile_get)},
};

}  // namespace

void add_osd_map_queries(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
