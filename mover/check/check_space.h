// SPDX-License-Identifier: LGPL-2.1-or-later
// What the checker says of a plan as a whole: space on every device, wave by wave; totals; whether
// it reaches its goal.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mover/check/report.h"
#include "mover/plan/plan.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

class SpaceChecker {
 public:
  /// All outlive this.
  SpaceChecker(const State& state, const Plan& plan, Report& report);
  /// Moves of PGs and OSDs that are not in the state are left out: they are refused elsewhere.
  void check_waves();
  void check_totals();
  /// After check_waves().
  void check_goal();

 private:
  /// Bytes on a device.
  struct Space {
    double peak = 0;   ///< with all that comes; what moves of earlier waves replaced is gone
    double final = 0;  ///< when everything has ended
    double start = 0;  ///< final without the plan
    uint32_t coming = 0, going = 0;  ///< moves in this wave
    int64_t shards = 0;              ///< positions in up sets
  };
  void add_in_flight(PgIndex pg);
  void check_wave(std::span<const Move> moves);
  void check_target_space(const Move& move);
  /// None where the PG, the position or an OSD is not in the state.
  std::optional<double> size_of(const Move& move) const;
  double limit() const;
  /// Of the device's size, with the growth until the goal's horizon.
  double fill(OsdId osd, double bytes) const;
  bool is_judged(OsdId osd) const;
  bool misses_relief(OsdId osd) const;
  void find_means();
  /// From the mean, of its size.
  double off_mean(OsdId osd) const;

  const State& state_;
  const Plan& plan_;
  Report& report_;
  std::vector<Space> space_;   ///< by OSD id
  std::vector<double> means_;  ///< by OSD id: mean fill of all that share its root; 0: none
};

}  // namespace plimsoll::mover
