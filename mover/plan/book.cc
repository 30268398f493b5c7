// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/book.h"

#include <algorithm>
#include <tuple>

namespace plimsoll::mover {

namespace {

uint64_t part(double ratio, uint64_t size) {
  return static_cast<uint64_t>(ratio * static_cast<double>(size));
}

bool order(const Shard& a, const Shard& b) {
  return std::tie(a.bytes, a.pg, a.position) < std::tie(b.bytes, b.pg, b.position);
}

}  // namespace

Book::Book(const State& state, const Rules& rules, const Goal& goal)
    : state_(state), rules_(rules), goal_(goal), moved_(state.num_pgs()), blocks_(state.num_pgs()) {
  peak_limit_ =
      goal.peak_limit > 0 ? goal.peak_limit : std::max(0.0, state.backfillfull_ratio - goal.margin);
  add_devices();
  index_positions();
  shards_.resize(rows_.size());
}

void Book::add_devices() {
  const Use use = use_of(state_);
  rows_.resize(state_.devices.size());
  for (OsdId osd = 0; osd < num_osds(); osd++) {
    const Device& d = state_.devices[osd];
    Row& row = rows_[osd];
    if (!d.exists) continue;
    row.size = d.size;
    largest_size_ = std::max(largest_size_, d.size);
    const auto growth =
        static_cast<int64_t>(static_cast<double>(d.growth_per_day) * goal_.horizon_days);
    auto grown = [&](uint64_t bytes) {
      return static_cast<uint64_t>(std::max<int64_t>(0, static_cast<int64_t>(bytes) + growth));
    };
    row.final_ = grown(use.final_[osd]);
    row.peak = std::max(grown(use.peak[osd]), use.peak[osd]);
    row.receives = d.up && d.in && !d.cordoned && d.size > 0 &&
                   (goal_.targets.empty() || goal_.targets.count(osd));
  }
}

void Book::index_positions() {
  first_pg_.assign(rows_.size() + 1, 0);
  auto known = [&](OsdId osd) { return osd >= 0 && osd < num_osds(); };
  for (OsdId osd : state_.up)
    if (known(osd)) first_pg_[osd + 1]++;
  for (size_t i = 1; i < first_pg_.size(); i++) first_pg_[i] += first_pg_[i - 1];
  pgs_.resize(first_pg_.back());
  std::vector<uint32_t> next(first_pg_.begin(), first_pg_.end() - 1);
  for (PgIndex pg = 0; pg < state_.num_pgs(); pg++)
    for (OsdId osd : state_.up_of(pg))
      if (known(osd)) pgs_[next[osd]++] = pg;
}

uint64_t Book::excess(OsdId osd) const {
  const Row& row = rows_[osd];
  const uint64_t aim = part(row.aim, row.size);
  return row.final_ > aim ? row.final_ - aim : 0;
}

uint64_t Book::room(OsdId osd) const {
  const Row& row = rows_[osd];
  const uint64_t most = part(row.limit, row.size), peak = part(peak_limit_, row.size);
  if (row.final_ >= most || row.peak >= peak) return 0;
  return std::min(most - row.final_, peak - row.peak);
}

std::optional<Block> Book::pg_block(PgIndex pg) {
  uint8_t& known = blocks_[pg];
  if (known == 0) {
    const auto block = find_block(pg);
    known = static_cast<uint8_t>(block ? 2 + static_cast<int>(*block) : 1);
  }
  return known == 1 ? std::nullopt : std::optional(static_cast<Block>(known - 2));
}

std::optional<Block> Book::find_block(PgIndex pg) const {
  const Pool& pool = state_.pools.at(state_.pg_ids[pg].pool);
  const uint8_t flags = state_.pg_flags[pg];
  const auto up = state_.up_of(pg), acting = state_.acting_of(pg);
  auto hole = [](OsdId osd) { return osd == kOsdNone; };
  if (!goal_.pools.empty() && !goal_.pools.count(state_.pg_ids[pg].pool)) return Block::kNotChosen;
  if (flags & kPgIsUnreported) return Block::kPgUnreported;
  if (pool.splitting) return Block::kPoolSplitting;
  if (flags & kPgHasUpmap) return Block::kPgPinned;
  if (!(flags & kPgIsActive)) return Block::kPgNotActive;
  if (std::any_of(up.begin(), up.end(), hole) || std::any_of(acting.begin(), acting.end(), hole))
    return Block::kPgIncomplete;
  auto down = [&](OsdId osd) { return osd >= num_osds() || !state_.devices[osd].up; };
  if (flags & kPgIsDegraded || std::any_of(up.begin(), up.end(), down)) return Block::kPgDegraded;
  if (is_moving(state_, pg) || !(flags & kPgIsClean)) return Block::kPgMoving;
  // While a shard is copied the acting set stays whole, and the new set follows the rule as the old
  // one does: the loss of a failure domain costs no more than without the move. A lone copy has no
  // other to stand in for it.
  if (up.size() < 2) return Block::kLastCopy;
  const Rule& rule = rule_of(pg);
  if (rule.refusal()) return rule.refusal();
  if (!rule.holds(up)) return Block::kRuleViolated;
  return std::nullopt;
}

Shard Book::shard_of(OsdId osd, PgIndex pg) const {
  const auto up = state_.up_of(pg);
  const auto position = static_cast<uint32_t>(std::find(up.begin(), up.end(), osd) - up.begin());
  return {state_.bytes_of(pg)[position], pg, position};
}

std::vector<Shard>& Book::shards(OsdId osd) {
  if (shards_[osd]) return *shards_[osd];
  std::vector<Shard>& out = shards_[osd].emplace();
  for_each_position(osd, [&](const Shard& shard) {
    auto block = pg_block(shard.pg);
    if (!block && moved_[shard.pg]) block = Block::kPgInPlan;
    if (block)
      tally(osd, shard, *block);
    else
      out.push_back(shard);
  });
  std::sort(out.begin(), out.end(), order);
  return out;
}

void Book::tally(OsdId osd, const Shard& shard, Block block) {
  Cause& cause = causes_[osd][block];
  cause.shards++;
  cause.bytes += shard.bytes;
}

void Book::apply(const Shard& shard, OsdId from, OsdId to) {
  auto subtract = [&](uint64_t& use) { use -= std::min(use, shard.bytes); };
  subtract(rows_[from].final_);
  subtract(rows_[from].peak);
  rows_[to].final_ += shard.bytes;
  rows_[to].peak += shard.bytes;
  moved_[shard.pg] = true;
  left_[shard.pg] = from;
}

}  // namespace plimsoll::mover
