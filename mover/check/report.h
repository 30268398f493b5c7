// SPDX-License-Identifier: LGPL-2.1-or-later
// What the checker found: refusals (carrying the plan out would do harm, or not what the plan says)
// and warnings. Every finding names the PG or the OSD, and numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::mover {

enum class Fault : uint8_t {
  // ---- of a move
  kUnknownPg,          ///< not in the map, or not in the state
  kUnknownOsd,         ///< not in the map
  kSameOsd,            ///< from and to are the same
  kPgTwice,            ///< a second change of a PG
  kNotAtPosition,      ///< the source does not stand where the plan says
  kEntryChanged,       ///< the map's entry is not what the plan found
  kUpNotAsPlanned,     ///< mapped with its entry, the PG has another up set than the plan wants
  kRuleBroken,         ///< the up set would not follow the pool's CRUSH rule
  kRuleNotUnderstood,  ///< the rule cannot be judged
  kMonitorDrops,       ///< a monitor would take the entry back
  kDeadPair,           ///< a pair of the entry does nothing and would stay
  kPgUnhealthy,        ///< not active, or without all its copies
  kPgMoving,           ///< on its way already
  kPgPinned,           ///< an entry in pg_upmap
  kPoolSplitting,
  kLastCopy,  ///< a pool of size 1
  kTargetUnfit,
  kOutsideGoal,  ///< a pool or an OSD that the goal excludes
  // ---- of the whole
  kTargetOverLimit,   ///< above the peak limit in some wave
  kTooManyBackfills,  ///< of one device in one wave
  kOverBudget,        ///< more bytes or moves than the goal allows
  kSumWrong,          ///< the plan's total is not the sum of its moves
  kBelowBound,        ///< reaches its goal with fewer bytes than it says are possible
  kGoalMissed,        ///< says that it reaches its goal, and does not
  kWavesOutOfOrder,
  kDeadEntryWrong,  ///< a clean-up of a dead entry changes the mapping, or the entry is not there
  kOtherCluster,
  kOldClients,  ///< clients older than luminous may connect: monitors refuse upmap entries
  kBalancer,    ///< the manager's balancer is on
  // ---- warnings only
  kOtherEpoch,
  kDataStopped,  ///< a flag of the map stops data from moving
  kSizesDiffer,  ///< the sizes of shards are not those that the plan was made with
  kNearfull,     ///< targets end above the nearfull ratio
  kUnreached,    ///< does not reach its goal, and says so
};
/// "target-over-limit": stable, for scripts.
const char* fault_name(Fault fault);

struct Finding {
  Fault fault;
  PgId pg{-1, 0};      ///< where one is meant
  OsdId osd = kNoOsd;  ///< where one is meant
  std::string text;    ///< a sentence
};

struct Report {
  static constexpr size_t kMaxFindings = 1000;  ///< of each kind that are kept
  std::vector<Finding> refusals, warnings;
  uint64_t more_refusals = 0, more_warnings = 0;  ///< that were not kept

  bool refused() const { return !refusals.empty(); }
  void refuse(Finding f);
  void warn(Finding f);
};

}  // namespace plimsoll::mover
