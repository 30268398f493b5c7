// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/mon_info.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "common/command/version.h"

namespace plimsoll::mon {

namespace json = boost::json;

namespace {

json::array quorum_features() {
  return {"kraken",   "luminous", "mimic",   "osdmap-prune",
          "nautilus", "octopus",  "pacific", "elector-pinging"};
}

}  // namespace

std::string version_line() {
  return kVersionText;
}

int64_t quorum_age(const Services& s) {
  return std::chrono::duration_cast<std::chrono::seconds>(s.runtime.clock().now() - s.started)
      .count();
}

json::object dump_features(const Sessions& sessions) {
  // Every peer that can speak to us has this very set; see the messenger's handshake.
  const std::string set = fmt::format("0x{:x}", kFeatures);
  std::map<std::string, int64_t> counts{{"mon", 1}};
  sessions.for_each([&](const messenger::Connection& connection, const Session&) {
    counts[entity_type_name(connection.auth().type)]++;
  });
  json::object o;
  for (const char* type : {"mon", "osd", "client", "mgr"}) {
    const auto n = counts.find(type);
    if (n == counts.end()) continue;
    json::object group{{"features", set}, {"release", "luminous"}, {"num", n->second}};
    o[type] = json::array{std::move(group)};
  }
  return o;
}

json::object dump_mon_status(const Services& s, const Sessions& sessions) {
  json::object o{{"name", s.name}, {"rank", s.monmap.rank_of(s.name)}, {"state", "leader"}};
  o["election_epoch"] = kElectionEpoch;
  o["quorum"] = json::array{0};
  o["quorum_age"] = quorum_age(s);
  const std::string features = std::to_string(kFeatures);
  o["features"] = json::object{{"required_con", features},
                               {"required_mon", quorum_features()},
                               {"quorum_con", features},
                               {"quorum_mon", quorum_features()}};
  o["outside_quorum"] = json::array();
  o["extra_probe_peers"] = json::array();
  o["sync_provider"] = json::array();
  o["monmap"] = map::dump_mon_map(s.monmap);
  o["feature_map"] = dump_features(sessions);
  o["stretch_mode"] = false;
  return o;
}

json::object dump_quorum_status(const Services& s) {
  json::object o{{"election_epoch", kElectionEpoch}};
  o["quorum"] = json::array{0};
  o["quorum_names"] = json::array{json::value(s.name)};
  o["quorum_leader_name"] = s.name;
  o["quorum_age"] = quorum_age(s);
  o["features"] =
      json::object{{"quorum_con", std::to_string(kFeatures)}, {"quorum_mon", quorum_features()}};
  o["monmap"] = map::dump_mon_map(s.monmap);
  return o;
}

json::object dump_mon_metadata(const Services& s) {
  const map::MonInfo* info = s.monmap.by_rank(static_cast<size_t>(s.monmap.rank_of(s.name)));
  json::object o;
  o["addrs"] = info ? info->public_addrs.msgr2().to_string() : "";
  for (const auto& [k, v] : s.host_metadata) o[k] = v;
  o["compression_algorithms"] = "none";
  for (const char* key : {"device_ids", "device_paths", "devices"}) o[key] = "";
  return o;
}

}  // namespace plimsoll::mon
