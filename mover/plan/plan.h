// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan: moves in waves with a reason each, what is blocked and by what, and how far from the
// least possible it is. make_plan() is pure and deterministic: the same state and goal give the
// same plan. A PG changes at most once in a plan.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "mover/plan/goal.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

enum class Why : uint8_t {
  kBestFit,  ///< the smallest shard that covers what had to leave
  kLargest,  ///< the largest shard of its device
  kPair,     ///< one of two that together cover what had to leave most closely
  kSwap,     ///< makes room on a target for another move
  kDrained,  ///< everything leaves this device
  kFills,    ///< brings a device up to the mean
  kByHand,
};
const char* why_text(Why why);

struct Move {
  PgId pg;
  uint32_t position = 0;  ///< in the PG's up set
  OsdId from = kNoOsd;
  OsdId to = kNoOsd;
  uint64_t bytes = 0;
  Why why = Why::kBestFit;
  uint64_t need = 0;  ///< what still had to leave `from` (or to reach `to`) before this move
  uint32_t wave = 0;  ///< from 0
  /// Fill of both devices, final use over size, before and after this move in the plan's order.
  double from_before = 0, from_after = 0, to_before = 0, to_after = 0;
  /// The PG's whole pg_upmap_items entry before and after; empty: no entry.
  map::UpmapItems items_before, items_after;
  bool operator==(const Move&) const = default;
};

/// Why a shard or a device could not be helped. The texts are in block_text().
enum class Block : uint8_t {
  kNoTarget,           ///< every device that the rule allows would pass its limit
  kNoSource,           ///< no fuller device of its root has what fits one that is to be filled
  kMeanAboveGoal,      ///< the devices that share the rule are on average above the goal
  kShardTooLarge,      ///< one shard is larger than any target's room: the pool has too few PGs
  kFailureDomain,      ///< every device with room shares a failure domain with another shard
  kTwoTakes,           ///< a rule whose takes share domains: monitors drop every entry for it
  kRuleNotUnderstood,  ///< a step that the planner does not know
  kRuleViolated,       ///< the PG does not follow its rule now
  kNestedChoose,       ///< a rule of three levels or more: monitors drop every entry for it, too
  kSwapOfShards,       ///< erasure-coded shards would change places: pairs cannot say it
  kPgNotActive,
  kPgDegraded,    ///< a move would delay its repair, or take a last good copy
  kPgMoving,      ///< it is on its way already
  kPgIncomplete,  ///< fewer members than the pool's size
  kPgPinned,      ///< an entry in pg_upmap
  kPgUnreported,
  kPoolSplitting,
  kLastCopy,         ///< a pool of size 1: the only copy stays where it is
  kPgInPlan,         ///< another shard of it moves in this plan: plan again when that is done
  kTargetInUp,       ///< the target holds another shard of the PG: the entry would stay dead
  kTargetNotInRule,  ///< outside of the rule's root or device class, or of no weight
  kTargetFull,       ///< above its limit at the peak
  kTargetUnfit,      ///< down, out, cordoned, of unknown size, or not among the chosen targets
  kSourceNotInUp,    ///< the PG has no shard there
  kDeviceUnknown,    ///< no size or use is reported for the device
  kNotChosen,        ///< of a pool that the goal leaves alone
  kLimitReached,     ///< max_bytes or max_moves
  kUnexplained,      ///< bytes that no PG's shard explains: they cannot be moved
};
const char* block_name(Block block);  ///< "no-target": stable, for scripts
/// What it means, a sentence without numbers.
const char* block_text(Block block);

/// A device that stays above its goal (or a PG that could not be moved by hand), with numbers.
struct Blocked {
  OsdId osd = kNoOsd;
  PgId pg{-1, 0};  ///< where one PG is meant
  Block block = Block::kNoTarget;
  uint64_t bytes = 0;   ///< that remain above the goal
  uint64_t shards = 0;  ///< that were tried and had this cause
  std::string detail;   ///< a sentence with names and numbers
  bool operator==(const Blocked&) const = default;
};

/// What would make an infeasible goal feasible.
struct Advice {
  enum class Kind : uint8_t { kAddCapacity, kDelete, kRaisePgNum, kChangeRule } kind;
  std::string subject;  ///< root or class, pool, rule
  uint64_t bytes = 0;   ///< to add or to delete
  uint32_t pg_num = 0;  ///< for kRaisePgNum
  std::string text;     ///< "add 12.4 TiB below default~ssd"
  bool operator==(const Advice&) const = default;
};

/// An entry in pg_upmap_items with pairs that do nothing (the source is not in CRUSH's answer, the
/// target is out or in the PG already). Monitors keep some of them for ever.
struct DeadEntry {
  PgId pg;
  map::UpmapItems items;    ///< as it is
  map::UpmapItems cleaned;  ///< the same mapping; empty: remove the entry
  bool operator==(const DeadEntry&) const = default;
};

struct Plan {
  Epoch epoch = 0;
  Goal goal;
  std::vector<Move> moves;  ///< in order; waves ascend
  uint32_t waves = 0;
  std::vector<Blocked> blocked;
  std::vector<Advice> advice;
  /// Of PGs that the plan does not move; those that it moves get clean entries.
  std::vector<DeadEntry> dead_entries;
  bool reaches_goal = false;

  uint64_t bytes = 0;        ///< of all moves
  uint64_t lower_bound = 0;  ///< no plan that reaches the goal copies less (plan/bound.h)
  double fullest_before = 0, fullest_after = 0;
  OsdId fullest_osd_before = kNoOsd, fullest_osd_after = kNoOsd;
  uint64_t tries = 0;  ///< candidates that were looked at: bounded work
};

/// EINVAL as validate(). An infeasible goal is no error: the plan does what can be done and says
/// what is missing. A kMove that breaks a rule gives no move and a Blocked.
Result<Plan> make_plan(const State& state, const Goal& goal);

}  // namespace plimsoll::mover
