// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/goal.h"

#include <fmt/format.h>

#include <cmath>

#include "mover/plan/state.h"

namespace plimsoll::mover {

namespace {

Result<> check_ratio(const char* name, double value) {
  if (std::isfinite(value) && value >= 0 && value <= 1) return {};
  return fail(EINVAL, fmt::format("{} {} is not a ratio in [0, 1]", name, value));
}

Result<> check_osd(const char* role, OsdId osd, const State& state) {
  if (osd >= 0 && static_cast<size_t>(osd) < state.devices.size() && state.devices[osd].exists)
    return {};
  return fail(EINVAL, fmt::format("{} osd.{} does not exist", role, osd));
}

Result<> check_move(const Goal& goal, const State& state) {
  if (!goal.move) return fail(EINVAL, "which PG to move, and from where to where, is not given");
  if (state.find(goal.move->pg) == state.num_pgs())
    return fail(EINVAL, fmt::format("PG {} does not exist", goal.move->pg.to_string()));
  TRY_VOID(check_osd("source", goal.move->from, state));
  return check_osd("target", goal.move->to, state);
}

}  // namespace

Result<> validate(const Goal& goal, const State& state) {
  TRY_VOID(check_ratio("above", goal.above));
  TRY_VOID(check_ratio("to", goal.to));
  TRY_VOID(check_ratio("within", goal.within));
  TRY_VOID(check_ratio("peak limit", goal.peak_limit));
  TRY_VOID(check_ratio("margin", goal.margin));
  if (goal.kind == GoalKind::kRelieve && goal.to > goal.above)
    return fail(EINVAL, fmt::format("to {} is above {}: it would never end", goal.to, goal.above));
  if (!std::isfinite(goal.horizon_days) || goal.horizon_days < 0)
    return fail(EINVAL, fmt::format("horizon of {} days is no time", goal.horizon_days));
  if (goal.backfills == 0) return fail(EINVAL, "with 0 backfills nothing can move");
  for (OsdId osd : goal.devices) TRY_VOID(check_osd("device", osd, state));
  for (OsdId osd : goal.targets) TRY_VOID(check_osd("target", osd, state));
  for (PoolId pool : goal.pools)
    if (!state.pools.count(pool)) return fail(EINVAL, fmt::format("pool {} does not exist", pool));
  if ((goal.kind == GoalKind::kDrain || goal.kind == GoalKind::kFill) && goal.devices.empty())
    return fail(EINVAL, "which devices is not given");
  return goal.kind == GoalKind::kMove ? check_move(goal, state) : Result<>();
}

}  // namespace plimsoll::mover
