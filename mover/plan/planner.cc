// SPDX-License-Identifier: LGPL-2.1-or-later
// make_plan(): limits by the goal, moves by the engine, waves, and then what came of it.
#include <algorithm>
#include <queue>

#include "mover/plan/bound.h"
#include "mover/plan/engine.h"
#include "mover/plan/explain.h"
#include "mover/plan/upmap.h"
#include "mover/plan/waves.h"

namespace plimsoll::mover {

namespace {

/// The source with the most to give goes first; equals by id.
struct Source {
  uint64_t excess = 0;
  OsdId osd = kNoOsd;
  bool operator<(const Source& o) const {
    return excess != o.excess ? excess < o.excess : osd > o.osd;
  }
};

void shed_all(Book& book, Engine& engine) {
  const bool drain = book.goal().kind == GoalKind::kDrain;
  std::priority_queue<Source> sources;
  for (OsdId osd = 0; osd < book.num_osds(); osd++)
    if (const Row& row = book.rows()[osd]; row.source && (drain || book.excess(osd) > 0))
      sources.push({book.excess(osd), osd});
  while (!sources.empty() && !engine.limit_reached()) {
    const Source top = sources.top();
    sources.pop();
    const bool moved = engine.shed(top.osd);
    if (moved && (drain || book.excess(top.osd) > 0)) sources.push({book.excess(top.osd), top.osd});
  }
}

/// Devices below the mean are brought up, the neediest first; nobody is taken too far below it.
void feed_all(Book& book, Engine& engine, const std::vector<Group>& groups) {
  const Goal& goal = book.goal();
  const bool fill = goal.kind == GoalKind::kFill;
  for (const Group& group : groups) {
    const double floor = group.mean() - goal.within;
    const double low = fill ? group.mean() : floor;
    std::priority_queue<Source> hungry;
    auto need = [&](OsdId osd) {
      const Row& row = book.rows()[osd];
      const auto wanted = static_cast<uint64_t>(low * static_cast<double>(row.size));
      return wanted > row.final_ ? wanted - row.final_ : 0;
    };
    for (OsdId osd : group.osds)
      if (const Row& row = book.rows()[osd]; row.receives && !row.source && need(osd) > 0)
        hungry.push({need(osd), osd});
    while (!hungry.empty() && !engine.limit_reached()) {
      const Source top = hungry.top();
      hungry.pop();
      if (engine.feed(top.osd, group, top.excess, floor) && need(top.osd) > 0)
        hungry.push({need(top.osd), top.osd});
    }
  }
}

WaveLimits wave_limits(const Book& book) {
  WaveLimits out;
  for (const Row& row : book.rows()) {
    out.level.push_back(row.peak);
    out.size.push_back(row.size);
    out.cap.push_back(static_cast<uint64_t>(book.peak_limit() * static_cast<double>(row.size)));
  }
  out.backfills = book.goal().backfills;
  out.wave_bytes = book.goal().wave_bytes;
  return out;
}

std::pair<double, OsdId> fullest(const std::vector<Row>& rows) {
  std::pair<double, OsdId> out{0, kNoOsd};
  for (OsdId osd = 0; osd < static_cast<OsdId>(rows.size()); osd++)
    if (rows[osd].size && (out.second == kNoOsd || rows[osd].fill() > out.first))
      out = {rows[osd].fill(), osd};
  return out;
}

/// Fills of both devices along the plan's order, from the uses before it.
void add_fills(Plan& plan, std::vector<Row> rows) {
  for (Move& m : plan.moves) {
    Row &from = rows[m.from], &to = rows[m.to];
    m.from_before = from.fill();
    m.to_before = to.fill();
    from.final_ -= std::min(from.final_, m.bytes);
    to.final_ += m.bytes;
    m.from_after = from.fill();
    m.to_after = to.fill();
    plan.bytes += m.bytes;
  }
  std::tie(plan.fullest_after, plan.fullest_osd_after) = fullest(rows);
}

/// Moves that found no wave are not in the plan.
void take_back(Book& book, const std::vector<Move>& stuck, Plan& plan) {
  for (const Move& m : stuck) {
    book.rows()[m.from].final_ += m.bytes;
    book.rows()[m.to].final_ -= m.bytes;
    plan.blocked.push_back({m.from, m.pg, Block::kTargetFull, m.bytes, 1,
                            "PG " + m.pg.to_string() + " waits for room that nothing makes"});
  }
}

std::vector<DeadEntry> find_dead_entries(const Book& book) {
  const State& state = book.state();
  std::vector<DeadEntry> out;
  for (const auto& [pg, items] : state.upmap_items) {
    const bool erasure = state.pools.at(state.pg_ids[pg].pool).info.is_erasure();
    auto cleaned = upmap_items(state.raw_of(pg), state.up_of(pg), erasure);
    if (cleaned && cleaned->size() < items.size() && !book.is_moved(pg))
      out.push_back({state.pg_ids[pg], items, std::move(*cleaned)});
  }
  return out;
}

}  // namespace

Result<Plan> make_plan(const State& state, const Goal& goal) {
  TRY_VOID(validate(goal, state));
  const Rules rules(state);
  Book book(state, rules, goal);
  std::vector<Group> groups = find_groups(book);
  set_limits(book, groups);
  Plan plan;
  plan.epoch = state.epoch;
  plan.goal = goal;
  const std::vector<Row> before = book.rows();
  const WaveLimits limits = wave_limits(book);
  std::tie(plan.fullest_before, plan.fullest_osd_before) = fullest(before);
  plan.lower_bound = lower_bound(book, groups);

  Engine engine(book);
  if (goal.kind == GoalKind::kMove) {
    if (const auto block = engine.move(*goal.move))
      plan.blocked.push_back(explain_refusal(book, *block));
  } else {
    if (goal.kind != GoalKind::kFill) shed_all(book, engine);
    if (goal.kind == GoalKind::kFill || goal.kind == GoalKind::kBalance)
      feed_all(book, engine, groups);
  }
  plan.tries = engine.tries();

  Waves waves = make_waves(engine.take_moves(), limits);
  plan.moves = std::move(waves.moves);
  plan.waves = waves.count;
  take_back(book, waves.stuck, plan);
  add_fills(plan, before);
  if (goal.kind == GoalKind::kMove) {
    if (!plan.moves.empty()) plan.lower_bound = plan.bytes;
  } else {
    auto blocked = explain_blocked(book, groups, engine.limit_reached());
    plan.blocked.insert(plan.blocked.end(), blocked.begin(), blocked.end());
  }
  plan.advice = make_advice(book, groups, plan.blocked);
  plan.dead_entries = find_dead_entries(book);
  plan.reaches_goal = plan.blocked.empty();
  return plan;
}

}  // namespace plimsoll::mover
