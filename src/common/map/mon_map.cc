// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/mon_map.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/map/osd_map_dump.h"
#include "common/map/texts.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

constexpr const char* kFeatureNames[] = {"kraken",   "luminous", "mimic",   "osdmap-prune",
                                         "nautilus", "octopus",  "pacific", "elector-pinging"};

json::array feature_names(uint64_t features) {
  json::array out;
  for (size_t bit = 0; bit < 64; bit++)
    if (features >> bit & 1)
      out.push_back(bit < std::size(kFeatureNames) ? json::value(kFeatureNames[bit])
                                                   : json::value(fmt::format("{}", bit)));
  return out;
}

std::string location_text(const MonInfo& mon) {
  std::string out = "{";
  for (const auto& [type, name] : mon.crush_location) {
    if (out.size() > 1) out += ',';
    out += type + "=" + name;
  }
  return out + "}";
}

std::string front_addr(const EntityAddrVec& addrs) {
  return addrs.addrs.empty() ? EntityAddr().ip_port_nonce() : addrs.addrs[0].ip_port_nonce();
}

}  // namespace

std::string zulu(Utime t) {
  std::string out = t.to_string();
  return out.substr(0, out.find('+')) + "Z";
}

Result<> MonMap::add(std::string name, EntityAddrVec addrs) {
  if (mons.count(name)) return fail(EEXIST, fmt::format("mon.{} already exists", name));
  MonInfo& mon = mons[name];
  mon.name = name;
  mon.public_addrs = std::move(addrs);
  ranks.push_back(std::move(name));
  return {};
}

int MonMap::rank_of(std::string_view name) const {
  auto it = std::find(ranks.begin(), ranks.end(), name);
  return it == ranks.end() ? -1 : static_cast<int>(it - ranks.begin());
}

const MonInfo* MonMap::by_rank(size_t rank) const {
  if (rank >= ranks.size()) return nullptr;
  auto it = mons.find(ranks[rank]);
  return it == mons.end() ? nullptr : &it->second;
}

json::object dump_mon_map(const MonMap& m) {
  json::array mons;
  for (size_t rank = 0; rank < m.ranks.size(); rank++) {
    const MonInfo* mon = m.by_rank(rank);
    if (!mon) continue;
    mons.push_back(json::object{{"rank", rank},
                                {"name", mon->name},
                                {"public_addrs", dump_addrvec(mon->public_addrs)},
                                {"addr", front_addr(mon->public_addrs)},
                                {"public_addr", front_addr(mon->public_addrs)},
                                {"priority", mon->priority},
                                {"weight", mon->weight},
                                {"crush_location", location_text(*mon)}});
  }
  // The two keys that end in ": " are Ceph's.
  return {{"epoch", m.epoch},
          {"fsid", m.fsid.to_string()},
          {"modified", zulu(m.last_changed)},
          {"created", zulu(m.created)},
          {"min_mon_release", m.min_mon_release},
          {"min_mon_release_name", release_name(m.min_mon_release)},
          {"election_strategy", m.strategy},
          {"disallowed_leaders: ", fmt::format("{}", fmt::join(m.disallowed_leaders, ","))},
          {"stretch_mode", m.stretch_mode_enabled},
          {"tiebreaker_mon", m.tiebreaker_mon},
          {"removed_ranks: ", fmt::format("{}", fmt::join(m.removed_ranks, ","))},
          {"features", json::object{{"persistent", feature_names(m.persistent_features)},
                                    {"optional", feature_names(m.optional_features)}}},
          {"mons", std::move(mons)}};
}

std::string print_mon_map(const MonMap& m) {
  std::string out = fmt::format(
      "epoch {}\nfsid {}\nlast_changed {}\ncreated {}\nmin_mon_release {} ({})\nelection_strategy: "
      "{}\n",
      m.epoch, m.fsid.to_string(), stamp_text(m.last_changed), stamp_text(m.created),
      m.min_mon_release, release_name(m.min_mon_release), m.strategy);
  for (size_t rank = 0; rank < m.ranks.size(); rank++) {
    const MonInfo* mon = m.by_rank(rank);
    if (!mon) continue;
    out += fmt::format("{}: {} mon.{}", rank, addrvec_text(mon->public_addrs), mon->name);
    if (!mon->crush_location.empty()) out += "; crush location " + location_text(*mon);
    out += "\n";
  }
  return out;
}

}  // namespace plimsoll::map
