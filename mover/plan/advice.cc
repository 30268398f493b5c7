// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "common/base/size_text.h"
#include "mover/plan/explain.h"

namespace plimsoll::mover {

namespace {

/// A shard should be at most this part of the smallest device of its root.
constexpr double kGoodPart = 0.02;
constexpr uint32_t kMaxPgNum = 1 << 16;

/// What brings the group's mean to the goal, one or the other.
void advise_capacity(const Book& book, const Group& group, std::vector<Advice>& out) {
  const Goal& goal = book.goal();
  const double to = goal.kind == GoalKind::kRelieve ? goal.to : book.state().nearfull_ratio;
  uint64_t size = group.size;
  if (goal.kind == GoalKind::kDrain)
    for (OsdId osd : group.osds)
      if (book.rows()[osd].source) size -= book.rows()[osd].size;
  const double missing = static_cast<double>(group.final_) - to * static_cast<double>(size);
  if (missing <= 0 || to <= 0) return;
  const auto too_much = static_cast<uint64_t>(missing);
  const auto to_add = static_cast<uint64_t>(missing / to);
  out.push_back({Advice::Kind::kAddCapacity, group.name, to_add, 0,
                 fmt::format("add {} below {}", bytes_text(to_add), group.name)});
  out.push_back({Advice::Kind::kDelete, group.name, too_much, 0,
                 fmt::format("delete {} of what is stored below {} (copies counted)",
                             bytes_text(too_much), group.name)});
}

/// The largest shards of each pool among those that stayed on blocked devices.
std::map<PoolId, Shard> largest_left(Book& book, const std::vector<Blocked>& blocked) {
  std::map<PoolId, Shard> out;
  for (const Blocked& b : blocked) {
    if (b.osd == kNoOsd || !book.causes(b.osd).count(Block::kShardTooLarge)) continue;
    book.for_each_position(b.osd, [&](const Shard& s) {
      Shard& largest = out[book.state().pg_ids[s.pg].pool];
      if (s.bytes > largest.bytes) largest = s;
    });
  }
  return out;
}

void advise_pg_num(Book& book, const std::vector<Blocked>& blocked, std::vector<Advice>& out) {
  for (const auto& [pool_id, shard] : largest_left(book, blocked)) {
    const State& state = book.state();
    const Pool& pool = state.pools.at(pool_id);
    uint64_t smallest = UINT64_MAX;
    const Rule& rule = book.rule_of(shard.pg);
    if (rule.refusal()) continue;
    for (OsdId osd : rule.devices(rule.root_of(shard.position)))
      if (osd < book.num_osds() && book.rows()[osd].size)
        smallest = std::min(smallest, book.rows()[osd].size);
    const double part = static_cast<double>(shard.bytes) / static_cast<double>(smallest);
    if (part <= kGoodPart * 2) continue;
    uint32_t pg_num = std::bit_ceil(pool.info.pg_num);
    for (double p = part; p > kGoodPart && pg_num < kMaxPgNum; p /= 2) pg_num *= 2;
    if (pg_num <= pool.info.pg_num) continue;
    out.push_back({Advice::Kind::kRaisePgNum, pool.name, shard.bytes, pg_num,
                   fmt::format("raise pg_num of pool {} from {} to {}: one shard has {}, {:.1f}% "
                               "of a device of {}",
                               pool.name, pool.info.pg_num, pg_num, bytes_text(shard.bytes),
                               part * 100, bytes_text(smallest))});
  }
}

void advise_rules(Book& book, const std::vector<Blocked>& blocked, std::vector<Advice>& out) {
  std::set<int> rules;
  for (const Blocked& b : blocked) {
    if (b.osd == kNoOsd) continue;
    book.for_each_position(b.osd, [&](const Shard& s) {
      const auto refusal = book.rule_of(s.pg).refusal();
      if (refusal == Block::kTwoTakes || refusal == Block::kNestedChoose)
        rules.insert(book.state().pools.at(book.state().pg_ids[s.pg].pool).rule);
    });
  }
  for (int rule : rules) {
    const std::string name = book.state().crush->rule_name(rule);
    out.push_back({Advice::Kind::kChangeRule, name, 0, 0,
                   fmt::format("change the CRUSH rule {}, or balance its pools by weights: "
                               "monitors drop every upmap entry for it",
                               name)});
  }
}

}  // namespace

std::vector<Advice> make_advice(Book& book, const std::vector<Group>& groups,
                                const std::vector<Blocked>& blocked) {
  std::vector<Advice> out;
  for (const Group& group : groups)
    if (group.too_full) advise_capacity(book, group, out);
  advise_pg_num(book, blocked, out);
  advise_rules(book, blocked, out);
  return out;
}

}  // namespace plimsoll::mover
