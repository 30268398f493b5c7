// SPDX-License-Identifier: LGPL-2.1-or-later
// The MonMap: who the monitors are and where (wire.md 3.2), with the shapes of `mon dump`.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::map {

struct MonInfo {
  static constexpr wire::Envelope kEnvelope{5, 1};
  std::string name;
  EntityAddrVec public_addrs;
  uint16_t priority = 0;
  uint16_t weight = 0;
  std::map<std::string, std::string> crush_location;
  template <class F>
  void fields(F& f) {
    f("name", name);
    f("public_addrs", public_addrs);
    f("priority", priority, 2);
    f("weight", weight, 4);
    f("crush_location", crush_location, 5);
  }
  bool operator==(const MonInfo&) const = default;
};

struct MonMap {
  static constexpr wire::Envelope kEnvelope{9, 6};
  static constexpr uint64_t kPersistentFeatures = 0xff;
  Uuid fsid;
  Epoch epoch = 0;
  Utime last_changed;
  Utime created;
  uint64_t persistent_features = kPersistentFeatures;
  uint64_t optional_features = 0;
  std::map<std::string, MonInfo> mons;
  /// Names by rank.
  std::vector<std::string> ranks;
  uint8_t min_mon_release = 16;
  std::set<uint32_t> removed_ranks;
  uint8_t strategy = 1;
  std::set<std::string> disallowed_leaders;
  bool stretch_mode_enabled = false;
  std::string tiebreaker_mon;
  std::set<std::string> stretch_marked_down_mons;

  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("epoch", epoch);
    f("last_changed", last_changed);
    f("created", created);
    f.section("persistent_features", {1, 1}, [&] { f("features", persistent_features); });
    f.section("optional_features", {1, 1}, [&] { f("features", optional_features); });
    f("mons", mons);
    f("ranks", ranks);
    f("min_mon_release", min_mon_release, 7);
    f("removed_ranks", removed_ranks, 8);
    f("election_strategy", strategy, 9);
    f("disallowed_leaders", disallowed_leaders, 9);
    f("stretch_mode", stretch_mode_enabled, 9);
    f("tiebreaker_mon", tiebreaker_mon, 9);
    f("stretch_marked_down_mons", stretch_marked_down_mons, 9);
  }
  bool operator==(const MonMap&) const = default;

  /// Adds a monitor at the last rank; EEXIST when the name is there.
  Result<> add(std::string name, EntityAddrVec addrs);
  /// -1 for an unknown name.
  int rank_of(std::string_view name) const;
  const MonInfo* by_rank(size_t rank) const;
};

/// "2026-11-20T15:30:17.083871Z": the form of times in monitor maps and in metadata.
std::string zulu(Utime t);
/// `mon dump -f json` without the "quorum" array that the monitor adds.
boost::json::object dump_mon_map(const MonMap& map);
/// `mon dump`
std::string print_mon_map(const MonMap& map);

}  // namespace plimsoll::map
