// SPDX-License-Identifier: LGPL-2.1-or-later
// What a plan shall reach, and the limits it keeps. Ratios are of a device's size, in [0, 1].
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/map/osd_map.h"

namespace plimsoll::mover {

struct State;

enum class GoalKind : uint8_t {
  kRelieve,  ///< devices above `above` come down to `to`
  kDrain,    ///< the named devices hold nothing in the end
  kBalance,  ///< every device within `within` of the mean of those that share its rules' root
  kFill,     ///< the named (new, empty) devices come up to the mean
  kMove,     ///< one shard, by hand
};

/// Which shard leaves a device.
enum class Selection : uint8_t {
  kBestFit,  ///< the smallest that covers what is left, else the largest: fewest bytes
  kLargest,  ///< always the largest
};

struct HandMove {
  PgId pg;
  OsdId from = kNoOsd;
  OsdId to = kNoOsd;
};

struct Goal {
  GoalKind kind = GoalKind::kRelieve;
  Selection selection = Selection::kBestFit;

  // kRelieve
  double above = 0.85;
  double to = 0.85;  ///< at most `above`
  // kBalance
  double within = 0.01;
  /// kDrain and kFill: these devices. kRelieve and kBalance: sources are only these; empty: all.
  std::set<OsdId> devices;
  std::optional<HandMove> move;

  /// Targets are only these; empty: all that the rules allow.
  std::set<OsdId> targets;
  /// Only PGs of these pools; empty: all.
  std::set<PoolId> pools;

  /// Predictive: every device is judged as it will be after this time of its growth.
  double horizon_days = 0;
  /// No device may be above this at its peak. 0: the cluster's backfillfull_ratio less `margin`.
  double peak_limit = 0;
  double margin = 0.005;
  uint64_t max_bytes = 0;   ///< of all moves together; 0: no limit
  uint32_t max_moves = 0;   ///< 0: no limit
  uint32_t backfills = 1;   ///< moves per device and wave, in and out counted apart
  uint64_t wave_bytes = 0;  ///< per wave; 0: no limit
};

/// EINVAL names what does not fit: a ratio outside [0, 1] or not a number, `to` above `above`, an
/// OSD that does not exist, a goal without its devices.
Result<> validate(const Goal& goal, const State& state);

}  // namespace plimsoll::mover
