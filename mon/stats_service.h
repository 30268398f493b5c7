// SPDX-License-Identifier: LGPL-2.1-or-later
// StatsService: what OSDs report of themselves and of the PGs they lead, in memory only: after a
// restart of the monitor everything is reported again. PGs that nobody has reported are "unknown",
// those whose primary is gone are stale.
#pragma once

#include <deque>
#include <map>
#include <set>

#include "common/map/pg_stats.h"
#include "common/msg/mon_peer_messages.h"
#include "common/rt/runtime.h"
#include "mon/progress.h"

namespace plimsoll::mon {

class StatsService {
 public:
  /// Over how long rates are taken.
  static constexpr Duration kRateWindow = 10s;

  explicit StatsService(Clock& clock) : clock_(clock) {}

  /// Takes over the PGs and OSDs of a map.
  void on_map(const map::OSDMap& map);
  /// EINVAL where the report does not fit the map (unknown OSD or PGs are passed over).
  Result<> report(const map::OSDMap& map, msg::MOsdStats report);
  /// Periodic: a point on the curve that rates are read from.
  void tick();

  const map::PgMap& pg_map() const { return pg_map_; }
  /// Change per second over the window, of all and of one pool; nothing below zero.
  const map::ObjectStats& rate() const { return rate_; }
  map::ObjectStats pool_rate(PoolId pool) const;
  const Progress& progress() const { return progress_; }

 private:
  struct Point {
    TimePoint at;
    map::ObjectStats sum;
    std::map<PoolId, map::ObjectStats> pools;
  };
  void refresh_rates();

  Clock& clock_;
  map::PgMap pg_map_;
  map::ObjectStats rate_;
  std::map<PoolId, map::ObjectStats> pool_rates_;
  std::deque<Point> points_;
  Progress progress_;
};

}  // namespace plimsoll::mon
