// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/check_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mover/check/below.h"
#include "mover/check/rule_judge.h"

namespace plimsoll::mover {

namespace {

/// Ratios come from sums of bytes: what is below this is rounding.
constexpr double kTolerance = 1e-9;

bool has(std::span<const OsdId> members, OsdId osd) {
  return std::find(members.begin(), members.end(), osd) != members.end();
}

std::string percent(double ratio) {
  return fmt::format("{:.2f}%", 100 * ratio);
}

}  // namespace

SpaceChecker::SpaceChecker(const State& state, const Plan& plan, Report& report)
    : state_(state), plan_(plan), report_(report), space_(state.devices.size()) {
  for (size_t osd = 0; osd < space_.size(); osd++)
    space_[osd].peak = space_[osd].final = static_cast<double>(state.devices[osd].used);
  for (PgIndex pg = 0; pg < state.num_pgs(); pg++) add_in_flight(pg);
  // What leaves a device may not have been in its report.
  for (Space& s : space_) s.start = s.final = std::max(0.0, s.final);
}

void SpaceChecker::add_in_flight(PgIndex pg) {
  const auto up = state_.up_of(pg), acting = state_.acting_of(pg);
  const auto bytes = state_.bytes_of(pg);
  const bool by_place = state_.pools.at(state_.pg_ids[pg].pool).info.is_erasure();
  auto on_device = [&](OsdId osd) { return osd >= 0 && static_cast<size_t>(osd) < space_.size(); };
  for (size_t i = 0; i < up.size(); i++) {
    const double size = static_cast<double>(bytes[i]);
    const bool comes = by_place ? acting[i] != up[i] : !has(acting, up[i]);
    const bool goes = by_place ? acting[i] != up[i] : !has(up, acting[i]);
    if (on_device(up[i])) {
      space_[up[i]].shards++;
      space_[up[i]].peak += comes ? size : 0;
      space_[up[i]].final += comes ? size : 0;
    }
    if (on_device(acting[i])) space_[acting[i]].final -= goes ? size : 0;
  }
}

std::optional<double> SpaceChecker::size_of(const Move& move) const {
  const auto at = std::lower_bound(state_.pg_ids.begin(), state_.pg_ids.end(), move.pg);
  if (at == state_.pg_ids.end() || *at != move.pg) return std::nullopt;
  const auto pg = static_cast<PgIndex>(at - state_.pg_ids.begin());
  const auto devices = static_cast<OsdId>(space_.size());
  if (move.position >= state_.width(pg) || move.from < 0 || move.from >= devices || move.to < 0 ||
      move.to >= devices)
    return std::nullopt;
  return static_cast<double>(state_.bytes_of(pg)[move.position]);
}

double SpaceChecker::limit() const {
  const Goal& goal = plan_.goal;
  return goal.peak_limit > 0 ? goal.peak_limit : state_.backfillfull_ratio - goal.margin;
}

double SpaceChecker::fill(OsdId osd, double bytes) const {
  const Device& d = state_.devices[osd];
  if (d.size == 0) return 0;
  const double grown = static_cast<double>(d.growth_per_day) * plan_.goal.horizon_days;
  return (bytes + grown) / static_cast<double>(d.size);
}

void SpaceChecker::check_waves() {
  const std::span<const Move> moves = plan_.moves;
  for (size_t at = 0; at < moves.size();) {
    size_t end = at;
    while (end < moves.size() && moves[end].wave == moves[at].wave) end++;
    if (at > 0 && moves[at].wave < moves[at - 1].wave)
      report_.refuse({Fault::kWavesOutOfOrder, moves[at].pg, kNoOsd,
                      fmt::format("wave {} after wave {}", moves[at].wave, moves[at - 1].wave)});
    check_wave(moves.subspan(at, end - at));
    at = end;
  }
}

void SpaceChecker::check_wave(std::span<const Move> moves) {
  double bytes = 0;
  for (const Move& move : moves) {
    const auto size = size_of(move);
    if (!size) continue;
    bytes += *size;
    space_[move.to].peak += *size;
    space_[move.to].coming++;
    space_[move.from].going++;
  }
  const uint32_t wave = moves.front().wave;
  if (plan_.goal.wave_bytes && moves.size() > 1 &&
      bytes > static_cast<double>(plan_.goal.wave_bytes))
    report_.refuse({Fault::kOverBudget,
                    {-1, 0},
                    kNoOsd,
                    fmt::format("wave {} has {:.0f} bytes, more than {}", wave, bytes,
                                plan_.goal.wave_bytes)});
  for (const Move& move : moves)
    if (size_of(move)) check_target_space(move);
  for (const Move& move : moves) {
    const auto size = size_of(move);
    if (!size) continue;
    Space &from = space_[move.from], &to = space_[move.to];
    from.peak -= *size;
    from.final -= *size;
    to.final += *size;
    from.shards--;
    to.shards++;
    to.coming = from.going = 0;
  }
}

void SpaceChecker::check_target_space(const Move& move) {
  const Space& to = space_[move.to];
  if (const double at_peak = fill(move.to, to.peak); at_peak > limit() + kTolerance)
    report_.refuse({Fault::kTargetOverLimit, move.pg, move.to,
                    fmt::format("osd.{} would be at {} in wave {}, above {}", move.to,
                                percent(at_peak), move.wave, percent(limit()))});
  const uint32_t most = plan_.goal.backfills;
  for (const auto& [osd, count] :
       {std::pair{move.to, to.coming}, std::pair{move.from, space_[move.from].going}})
    if (count > most)
      report_.refuse({Fault::kTooManyBackfills, move.pg, osd,
                      fmt::format("osd.{} has {} moves of a kind in wave {}, more than {}", osd,
                                  count, move.wave, most)});
}

void SpaceChecker::check_totals() {
  const Goal& goal = plan_.goal;
  auto refuse = [&](Fault fault, std::string text) {
    report_.refuse({fault, {-1, 0}, kNoOsd, std::move(text)});
  };
  uint64_t sum = 0;
  size_t differ = 0;
  for (const Move& move : plan_.moves) {
    sum += move.bytes;
    const auto size = size_of(move);
    if (size && *size != static_cast<double>(move.bytes)) differ++;
  }
  if (sum != plan_.bytes)
    refuse(Fault::kSumWrong,
           fmt::format("its moves have {} bytes together, not {}", sum, plan_.bytes));
  const uint32_t waves = plan_.moves.empty() ? 0 : plan_.moves.back().wave + 1;
  if (waves != plan_.waves)
    refuse(Fault::kSumWrong, fmt::format("it has {} waves, not {}", waves, plan_.waves));
  if (goal.max_bytes && sum > goal.max_bytes)
    refuse(Fault::kOverBudget, fmt::format("{} bytes, more than {}", sum, goal.max_bytes));
  if (goal.max_moves && plan_.moves.size() > goal.max_moves)
    refuse(Fault::kOverBudget,
           fmt::format("{} moves, more than {}", plan_.moves.size(), goal.max_moves));
  if (plan_.reaches_goal && plan_.lower_bound > sum)
    refuse(Fault::kBelowBound, fmt::format("it reaches its goal with {} bytes where {} are the "
                                           "least possible",
                                           sum, plan_.lower_bound));
  if (differ)
    report_.warn({Fault::kSizesDiffer,
                  {-1, 0},
                  kNoOsd,
                  fmt::format("{} of {} shards have other sizes than when the plan was made",
                              differ, plan_.moves.size())});
}

bool SpaceChecker::is_judged(OsdId osd) const {
  const Device& d = state_.devices[osd];
  const auto& chosen = plan_.goal.devices;
  const bool sized = d.size > 0 || plan_.goal.kind == GoalKind::kDrain;
  return d.exists && sized && (chosen.empty() || chosen.count(osd));
}

bool SpaceChecker::misses_relief(OsdId osd) const {
  const Space& s = space_[osd];
  return fill(osd, s.start) > plan_.goal.above + kTolerance &&
         fill(osd, s.final) > plan_.goal.to + kTolerance;
}

/// Devices that share a root, or are joined by devices that do, have one mean.
void SpaceChecker::find_means() {
  std::vector<std::set<OsdId>> groups;
  for (const auto& [id, pool] : state_.pools) {
    const RuleJudge judge(*state_.crush, pool.info);
    for (const Below* root : judge.roots()) {
      std::set<OsdId> joined;
      for (const OsdId osd : root->devices())
        if (root->weight(osd) && static_cast<size_t>(osd) < space_.size() &&
            state_.devices[osd].size > 0)
          joined.insert(osd);
      std::erase_if(groups, [&](const std::set<OsdId>& group) {
        const bool meets = std::any_of(group.begin(), group.end(),
                                       [&](OsdId osd) { return joined.count(osd) > 0; });
        if (meets) joined.insert(group.begin(), group.end());
        return meets;
      });
      groups.push_back(std::move(joined));
    }
  }
  means_.assign(space_.size(), 0);
  for (const std::set<OsdId>& group : groups) {
    double bytes = 0, size = 0;
    for (const OsdId osd : group) {
      const auto device = static_cast<double>(state_.devices[osd].size);
      size += device;
      bytes += fill(osd, space_[osd].final) * device;
    }
    for (const OsdId osd : group) means_[osd] = bytes / size;
  }
}

double SpaceChecker::off_mean(OsdId osd) const {
  return means_[osd] == 0 ? 0 : fill(osd, space_[osd].final) - means_[osd];
}

void SpaceChecker::check_goal() {
  const Goal& goal = plan_.goal;
  if (goal.kind == GoalKind::kBalance || goal.kind == GoalKind::kFill) find_means();
  uint64_t missed = 0, nearfull = 0, low = 0;
  OsdId first = kNoOsd;
  const std::set<OsdId> targets = [&] {
    std::set<OsdId> out;
    for (const Move& move : plan_.moves)
      if (size_of(move)) out.insert(move.to);
    return out;
  }();
  for (const OsdId osd : targets)
    nearfull += fill(osd, space_[osd].final) > state_.nearfull_ratio + kTolerance;
  for (OsdId osd = 0; osd < static_cast<OsdId>(space_.size()); osd++) {
    if (!is_judged(osd)) continue;
    const bool misses = goal.kind == GoalKind::kRelieve ? misses_relief(osd)
                        : goal.kind == GoalKind::kDrain ? space_[osd].shards > 0
                        : goal.kind == GoalKind::kMove  ? false
                        : goal.kind == GoalKind::kFill  ? off_mean(osd) < -goal.within - kTolerance
                                                        : off_mean(osd) > goal.within + kTolerance;
    low += goal.kind == GoalKind::kBalance && off_mean(osd) < -goal.within - kTolerance;
    if (misses && missed++ == 0) first = osd;
  }
  if (goal.kind == GoalKind::kMove) missed = plan_.moves.size() == 1 ? 0 : 1;
  const std::string text =
      first == kNoOsd
          ? fmt::format("{} moves", plan_.moves.size())
          : fmt::format("{} devices miss the goal, the first osd.{} with {} and {} shards", missed,
                        first, percent(fill(first, space_[first].final)), space_[first].shards);
  if (missed && plan_.reaches_goal)
    report_.refuse({Fault::kGoalMissed, {-1, 0}, first, text});
  else if (!plan_.reaches_goal)
    report_.warn({Fault::kUnreached, {-1, 0}, first, text});
  if (low)
    report_.warn(
        {Fault::kUnreached,
         {-1, 0},
         kNoOsd,
         fmt::format("{} devices stay more than {} below the mean", low, percent(goal.within))});
  if (nearfull)
    report_.warn(
        {Fault::kNearfull,
         {-1, 0},
         kNoOsd,
         fmt::format("{} targets end above {}", nearfull, percent(state_.nearfull_ratio))});
}

}  // namespace plimsoll::mover
