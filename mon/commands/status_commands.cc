// SPDX-License-Identifier: LGPL-2.1-or-later
// The cluster at a glance: status, health, versions, features, report.
#include <fmt/format.h>

#include "common/command/version.h"
#include "common/config/option.h"
#include "common/map/crush_dump.h"
#include "common/map/osd_map_dump.h"
#include "mon/commands/mon_info.h"
#include "mon/commands/status.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

CommandReply status(CommandContext& c, const Args& a) {
  return answer(a, wants_json(a) ? dump_status(c.services) : json::object(),
                wants_json(a) ? "" : print_status(c.services));
}

CommandReply health(CommandContext& c, const Args& a) {
  const bool detail = a.opt_str("detail") == "detail";
  return answer(a, c.services.health.dump(detail), c.services.health.text(detail));
}

Task<CommandReply> mute(CommandContext& c, const Args& a) {
  std::optional<double> seconds;
  if (const auto ttl = a.opt_str("ttl")) {
    const Result<double> parsed = config::parse_seconds(*ttl);
    if (!parsed) co_return CommandReply(-EINVAL, "not a valid duration: " + *ttl);
    constexpr double kYear = 365 * 86400.0;
    seconds = std::min(*parsed, kYear);
  }
  const Result<> muted = co_await c.services.health.mute(a.str("code"), seconds, a.flag("sticky"));
  if (!muted) co_return CommandReply(muted.error());
  co_return CommandReply();
}

Task<CommandReply> unmute(CommandContext& c, const Args& a) {
  const Result<> unmuted = co_await c.services.health.unmute(a.str_or("code", ""));
  if (!unmuted) co_return CommandReply(unmuted.error());
  co_return CommandReply();
}

CommandReply fsid(CommandContext& c, const Args& a) {
  const std::string id = c.services.monmap.fsid.to_string();
  return answer(a, json::object{{"fsid", id}}, id + "\n");
}

// ---- versions and features
// ------------------------------------------------------------------------

json::object count_osd_versions(const CommandContext& c) {
  std::map<std::string, int64_t> counts;
  for (OsdId osd : c.services.osd.map().osds()) {
    if (!c.services.osd.map().is_up(osd)) continue;
    const OsdMetadata& m = c.services.membership.metadata(osd);
    const auto it = m.find("ceph_version");
    counts[it == m.end() ? "unknown" : it->second]++;
  }
  json::object o;
  for (const auto& [version, n] : counts) o[version] = n;
  return o;
}

CommandReply versions(CommandContext& c, const Args& a) {
  json::object osds = count_osd_versions(c);
  json::object mons{{version_line(), static_cast<int64_t>(c.services.monmap.mons.size())}};
  json::object overall;
  for (const json::object& part : {mons, osds})
    for (const auto& kv : part) {
      const int64_t before = overall.contains(kv.key()) ? overall.at(kv.key()).as_int64() : 0;
      overall[kv.key()] = before + kv.value().as_int64();
    }
  json::object o{{"mon", std::move(mons)},
                 {"mgr", json::object()},
                 {"osd", std::move(osds)},
                 {"mds", json::object()},
                 {"overall", std::move(overall)}};
  return answer_json(a, o);
}

CommandReply features(CommandContext& c, const Args& a) {
  return answer_json(a, dump_features(c.sessions));
}

CommandReply version(CommandContext&, const Args& a) {
  return answer_json(
      a, json::object{
             {"version", kCephVersion}, {"release", kCephRelease}, {"release_type", "stable"}});
}

CommandReply report(CommandContext& c, const Args& a) {
  json::object o{{"cluster_fingerprint", c.services.monmap.fsid.to_string()},
                 {"version", kCephVersion},
                 {"timestamp", c.services.runtime.clock().wall().to_string()},
                 {"tag", join(a.strings("tags"), " ")}};
  o["health"] = c.services.health.dump(true);
  o["quorum"] = json::array{0};
  o["monmap"] = map::dump_mon_map(c.services.monmap);
  o["osdmap"] = map::dump_osd_map(c.services.osd.map());
  o["crushmap"] = map::dump_crush(*c.services.osd.map().crush);
  o["fsmap"] = map::dump_fs_map(c.services.fsmap);
  const json::object pgs = map::dump_pg_map(c.services.stats.pg_map(), "summary");
  for (const char* key : {"pool_stats", "osd_stats"})
    if (const auto* v = pgs.at("pg_map").as_object().if_contains(key)) o[key] = *v;
  return answer_json(a, o);
}

CommandReply services(CommandContext& c, const Args& a) {
  return answer_json(a, json::object{{"epoch", 1},
                                     {"modified", c.services.osd.map().created.to_string()},
                                     {"services", json::object()}});
}

CommandReply empty_object(CommandContext&, const Args& a) {
  return answer_json(a, json::object());
}

const CommandRow kRows[] = {
    {"status", "print the state of the cluster", "mon", "r", 0, query(status)},
    {"health name=detail,type=CephChoices,strings=detail,req=false", "print what is wrong", "mon",
     "r", 0, query(health)},
    {"health mute name=code,type=CephString name=ttl,type=CephString,req=false "
     "name=sticky,type=CephBool,req=false",
     "do not count a health check, for a while or for good", "mon", "w", 0, mute},
    {"health unmute name=code,type=CephString,req=false", "count a health check (or all) again",
     "mon", "w", 0, unmute},
    {"fsid", "print the cluster's id", "mon", "r", 0, query(fsid)},
    {"versions", "count daemons by version", "mon", "r", 0, query(versions)},
    {"features", "count peers by their features", "mon", "r", 0, query(features)},
    {"version", "print this monitor's version", "mon", "r",
     command::kFlagNoForward | command::kFlagHidden, query(version)},
    {"report name=tags,type=CephString,n=N,req=false", "print everything about the cluster", "mon",
     "r", 0, query(report)},
    {"service dump", "print the service map", "service", "r", 0, query(services)},
    {"service status", "print the state of services", "service", "r", 0, query(empty_object)},
};

}  // namespace

void add_status_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
