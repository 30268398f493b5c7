// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/check_moves.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/map/pg_stats.h"
#include "mover/check/map_with_plan.h"

namespace plimsoll::mover {

namespace {

constexpr uint64_t kMovingStates =
    map::kPgRemapped | map::kPgBackfilling | map::kPgBackfillWait | map::kPgBackfillToofull;
constexpr uint64_t kUnhealthyStates =
    map::kPgCreating | map::kPgDown | map::kPgDegraded | map::kPgUndersized | map::kPgIncomplete |
    map::kPgPeering | map::kPgActivating | map::kPgStale | map::kPgRecovering |
    map::kPgRecoveryWait | map::kPgRecoveryToofull | map::kPgRecoveryUnfound |
    map::kPgBackfillUnfound | map::kPgInconsistent | map::kPgFailedRepair | map::kPgPremerge;

std::string members_text(const std::vector<OsdId>& members) {
  return fmt::format("[{}]", fmt::join(members, ","));
}

std::string items_text(const map::UpmapItems& items) {
  std::vector<std::string> pairs;
  for (const auto& [from, to] : items) pairs.push_back(fmt::format("{}->{}", from, to));
  return fmt::format("[{}]", fmt::join(pairs, ","));
}

map::UpmapItems entry_of(const map::OSDMap& map, PgId pg) {
  const auto it = map.pg_upmap_items.find(pg);
  return it == map.pg_upmap_items.end() ? map::UpmapItems() : it->second;
}

/// Replicated PGs may list their members in any order.
bool same_members(std::vector<OsdId> a, std::vector<OsdId> b, bool in_order) {
  if (in_order) return a == b;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

}  // namespace

MoveChecker::MoveChecker(const Dump& dump, const Plan& plan, Report& report)
    : dump_(dump),
      plan_(plan),
      report_(report),
      with_(map_with_plan(dump.map, plan)),
      monitor_(with_) {}

void MoveChecker::refuse(const Move& move, Fault fault, std::string text, OsdId osd) {
  report_.refuse({fault, move.pg, osd, std::move(text)});
}

const RuleJudge& MoveChecker::judge_of(PoolId pool) {
  return judges_.try_emplace(pool, *dump_.map.crush, *dump_.map.pool(pool)).first->second;
}

void MoveChecker::check_moves() {
  for (const Move& move : plan_.moves) check(move);
}

void MoveChecker::check(const Move& move) {
  if (!check_names(move)) return;
  const std::vector<OsdId> before = dump_.map.raw_upmap(move.pg);
  check_pg(move, before);
  check_target(move);
  if (move.position >= before.size() || before[move.position] != move.from)
    return refuse(move, Fault::kNotAtPosition,
                  fmt::format("osd.{} is not at position {} of {}", move.from, move.position,
                              members_text(before)),
                  move.from);
  check_entry(move, before);
}

bool MoveChecker::check_names(const Move& move) {
  const map::OSDMap& m = dump_.map;
  if (!m.pg_exists(move.pg)) {
    refuse(move, Fault::kUnknownPg, "the map has no such PG");
    return false;
  }
  for (const OsdId osd : {move.from, move.to}) {
    if (m.exists(osd)) continue;
    refuse(move, Fault::kUnknownOsd, fmt::format("the map has no osd.{}", osd), osd);
    return false;
  }
  if (move.from == move.to)
    refuse(move, Fault::kSameOsd, fmt::format("from osd.{} to itself", move.from), move.from);
  const bool first = seen_.insert(move.pg).second;
  if (!first) refuse(move, Fault::kPgTwice, "the plan changes this PG a second time");
  return first && move.from != move.to;
}

void MoveChecker::check_entry(const Move& move, const std::vector<OsdId>& before) {
  const map::UpmapItems now = entry_of(dump_.map, move.pg);
  if (now != move.items_before)
    refuse(move, Fault::kEntryChanged,
           fmt::format("the map's entry is {}, not {}", items_text(now),
                       items_text(move.items_before)));
  std::vector<OsdId> wanted = before;
  wanted[move.position] = move.to;
  const std::vector<OsdId> after = with_.raw_upmap(move.pg);
  if (!same_members(after, wanted, dump_.map.pool(move.pg.pool)->is_erasure()))
    refuse(move, Fault::kUpNotAsPlanned,
           fmt::format("up would be {}, not {}", members_text(after), members_text(wanted)));

  const RuleJudge& judge = judge_of(move.pg.pool);
  if (!judge.not_understood().empty())
    refuse(move, Fault::kRuleNotUnderstood, judge.not_understood());
  else if (auto why = judge.violation(wanted))
    refuse(move, Fault::kRuleBroken, *why, move.to);
  if (auto why = monitor_.drops(move.pg)) refuse(move, Fault::kMonitorDrops, *why);
  if (auto why = dead_pair(move.items_after, dump_.map.raw(move.pg)))
    refuse(move, Fault::kDeadPair, fmt::format("{}: {}", items_text(move.items_after), *why));
}

void MoveChecker::check_pg(const Move& move, const std::vector<OsdId>& before) {
  const map::PgPool& pool = *dump_.map.pool(move.pg.pool);
  if (dump_.map.pg_upmap.count(move.pg)) refuse(move, Fault::kPgPinned, "pinned by pg_upmap");
  if (pool.pg_num != pool.pg_num_target || pool.pg_num != pool.pg_num_pending ||
      pool.pgp_num != pool.pgp_num_target)
    refuse(move, Fault::kPoolSplitting,
           fmt::format("pg_num of pool {} goes from {} to {}", dump_.map.pool_name(move.pg.pool),
                       pool.pg_num, pool.pg_num_target));
  if (pool.size < 2) refuse(move, Fault::kLastCopy, "its pool keeps one copy only");

  const auto report = std::lower_bound(dump_.pgs.begin(), dump_.pgs.end(), move.pg,
                                       [](const PgReport& r, PgId pg) { return r.pgid < pg; });
  if (report == dump_.pgs.end() || report->pgid != move.pg)
    return refuse(move, Fault::kPgUnhealthy, "nobody has reported on it");
  if (!report->has_sizes) refuse(move, Fault::kPgUnhealthy, "its size is not reported");
  const std::string state = map::pg_state_text(report->state);
  if (!(report->state & map::kPgActive) || (report->state & kUnhealthyStates))
    refuse(move, Fault::kPgUnhealthy, state);
  const auto first = dump_.acting.begin() + report->first_acting;
  const std::vector<OsdId> acting(first, first + report->num_acting);
  if ((report->state & kMovingStates) || !same_members(acting, before, pool.is_erasure()))
    refuse(move, Fault::kPgMoving,
           fmt::format("{}, {} has it now, up is {}", state, members_text(acting),
                       members_text(before)));
}

void MoveChecker::check_target(const Move& move) {
  const map::OSDMap& m = dump_.map;
  auto unfit = [&](const char* why) {
    refuse(move, Fault::kTargetUnfit, fmt::format("target osd.{} is {}", move.to, why), move.to);
  };
  if (!m.is_up(move.to)) unfit("down");
  if (!m.is_in(move.to)) unfit("out");
  if (m.has_state(move.to, map::kOsdDestroyed)) unfit("destroyed");
  if (dump_.cordoned.count(move.to)) unfit("cordoned");
  const auto report = dump_.osds.find(move.to);
  if (report == dump_.osds.end() || !report->second.reported || report->second.size == 0)
    unfit("of unknown size");

  const Goal& goal = plan_.goal;
  auto outside = [&](std::string what) {
    refuse(move, Fault::kOutsideGoal, std::move(what), move.to);
  };
  if (!goal.targets.empty() && !goal.targets.count(move.to))
    outside(fmt::format("osd.{} is none of the chosen targets", move.to));
  if (!goal.pools.empty() && !goal.pools.count(move.pg.pool))
    outside(fmt::format("pool {} is none of the chosen ones", move.pg.pool));
  if (goal.kind == GoalKind::kDrain && goal.devices.count(move.to))
    outside(fmt::format("osd.{} is to be drained", move.to));
}

void MoveChecker::check_dead_entries() {
  for (const DeadEntry& dead : plan_.dead_entries) {
    auto wrong = [&](std::string text) {
      report_.refuse({Fault::kDeadEntryWrong, dead.pg, kNoOsd, std::move(text)});
    };
    const map::UpmapItems now = entry_of(dump_.map, dead.pg);
    if (now != dead.items)
      wrong(fmt::format("the map's entry is {}, not {}", items_text(now), items_text(dead.items)));
    if (!seen_.insert(dead.pg).second) wrong("the plan changes this PG elsewhere, too");
    const std::vector<OsdId> before = dump_.map.raw_upmap(dead.pg);
    const std::vector<OsdId> after = with_.raw_upmap(dead.pg);
    if (before != after)
      wrong(
          fmt::format("up would change from {} to {}", members_text(before), members_text(after)));
    if (auto why = dead_pair(dead.cleaned, dump_.map.raw(dead.pg))) wrong(*why);
  }
}

}  // namespace plimsoll::mover
