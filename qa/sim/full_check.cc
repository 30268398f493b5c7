// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/full_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "osd/pg/client_op.h"

namespace plimsoll::sim {

void FullCheck::look(const std::string& osd, const osd::SpaceLedger& now) {
  if (!now.full_line) return;
  const uint64_t taken = now.used + now.lent;
  // Where a loan ends a while after its bytes were set aside, they count twice for that while.
  const uint64_t sure = now.exact ? taken : now.used;
  const auto [it, first] = seen_.try_emplace(osd);
  Seen& seen = it->second;
  const uint64_t already = taken - std::min(taken, now.full_line);
  if (first || now.full_line < seen.full_line) seen.above = already;
  else seen.above = std::min(seen.above + now.excepted - seen.excepted, already);
  seen.full_line = now.full_line;
  seen.excepted = now.excepted;
  if (sure > now.full_line + seen.above)
    complain("space: full line of " + osd,
             fmt::format("{} used and {} lent, the full line is {} and {} may lie above it",
                         now.used, now.lent, now.full_line, seen.above));
  if (sure > now.failsafe_line && !first)
    complain("space: failsafe line of " + osd,
             fmt::format("{} used and {} lent, the failsafe line is {}", now.used, now.lent,
                         now.failsafe_line));
}

void FullCheck::came_to(PgId pg, const map::OSDMap& map) {
  const map::PgPool* pool = map.pool(pg.pool);
  full_[pg.pool][map.epoch] = pool && pool->has_flag(map::kPoolFull);
}

Epoch FullCheck::made_full(PoolId pool, Epoch until) const {
  const auto history = full_.find(pool);
  if (history == full_.end()) return 0;
  auto it = history->second.upper_bound(until);
  while (it != history->second.begin()) {
    --it;
    const bool was = it != history->second.begin() && std::prev(it)->second;
    if (it->second && !was) return it->first;
  }
  return 0;
}

void FullCheck::ordered(PgId pg, const osd::ClientOp& op, const map::OSDMap& map) {
  Epoch& barrier = barrier_[pg];
  barrier = std::max({barrier, made_full(pg.pool, map.epoch), made_full(pg.pool, op.m.epoch)});
  const bool plain = !(op.m.flags & (msg::kReqFullTry | msg::kReqFullForce));
  if (plain && op.m.epoch < barrier)
    complain("order: pg " + pg.to_string(),
             fmt::format("{} is carried out, and epoch {} made the pool full", op.describe(),
                         barrier));
}

void FullCheck::complain(const std::string& about, std::string what) {
  if (complaints_[about]++ == 0) wrong_.push_back(about + ": " + std::move(what));
}

}  // namespace plimsoll::sim
