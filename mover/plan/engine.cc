// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/engine.h"

#include <algorithm>

#include "mover/plan/select.h"
#include "mover/plan/upmap.h"

namespace plimsoll::mover {

namespace {

/// Devices that are looked at for one shard, and shards of a source that find no target before the
/// source is given up.
constexpr int kTargetTries = 128;
constexpr size_t kFailedShards = 64;
/// Swaps: shards of a source that are tried, devices for each, shards of each, and tries in all.
constexpr size_t kTightShards = 4, kSwapTargets = 16;
constexpr int kSwapShards = 8;
constexpr uint64_t kMaxSwapTries = 20'000;
/// Shards that are looked at for one move to a target, and those of one sender.
constexpr int kSenderTries = 256, kFillerTries = 8;
/// A shard of this part of a device is too coarse for any planner.
constexpr double kLargePart = 0.05;

/// How close a search came: the cause that is told where several parts of a root had different
/// ones.
int closeness(Block block) {
  switch (block) {
    case Block::kTargetUnfit:
      return 0;
    case Block::kFailureDomain:
      return 1;
    case Block::kSwapOfShards:
      return 2;
    case Block::kNoTarget:
      return 3;
    default:
      return 4;
  }
}

bool is_tight(Block block) {
  return block == Block::kNoTarget || block == Block::kShardTooLarge ||
         block == Block::kFailureDomain;
}

}  // namespace

std::optional<map::UpmapItems> Engine::items_for(const Shard& shard, OsdId to) const {
  const State& state = book_.state();
  const auto raw = state.raw_of(shard.pg), now = state.up_of(shard.pg);
  std::vector<OsdId> up(now.begin(), now.end());
  up[shard.position] = to;
  const bool erasure = state.pools.at(state.pg_ids[shard.pg].pool).info.is_erasure();
  auto items = upmap_items(raw, up, erasure);
  if (!items) return std::nullopt;
  // In replicated pools members may change their places, and a rule can mind.
  const std::vector<OsdId> result = apply_upmap_items(raw, *items);
  if (result != up && !book_.rule_of(shard.pg).holds(result)) return std::nullopt;
  return items;
}

std::optional<Block> Engine::refuses(const Shard& shard, OsdId to) const {
  const auto block =
      book_.rule_of(shard.pg).refuses(book_.state().up_of(shard.pg), shard.position, to);
  if (block) return block;
  if (!items_for(shard, to)) return Block::kSwapOfShards;
  return std::nullopt;
}

Engine::Found Engine::search(const Targets::Ordered& targets, const Shard& shard) {
  Found found{kNoOsd, targets.empty() ? Block::kTargetUnfit : Block::kNoTarget};
  bool refused = false, swap = false, too_small = false;
  int left = kTargetTries;
  for (auto it = targets.begin(); it != targets.end() && left > 0; ++it, --left) {
    const OsdId to = it->second;
    const Row& row = book_.rows()[to];
    if (row.fill() >= row.limit) break;
    tries_++;
    if (book_.room(to) < shard.bytes) {
      const auto bytes = static_cast<double>(shard.bytes);
      too_small |= bytes > kLargePart * static_cast<double>(row.size);
      // Those that follow are fuller: not even the largest device would have room.
      if ((row.limit - row.fill()) * static_cast<double>(book_.largest_size()) < bytes) break;
      continue;
    }
    const auto block = refuses(shard, to);
    if (!block) return {to, Block::kNoTarget};
    refused = true;
    swap |= *block == Block::kSwapOfShards;
  }
  if (swap)
    found.block = Block::kSwapOfShards;
  else if (refused)
    found.block = Block::kFailureDomain;
  else if (too_small)
    found.block = Block::kShardTooLarge;
  return found;
}

Engine::Found Engine::find_target(const Shard& shard) {
  const Rule& rule = book_.rule_of(shard.pg);
  rule.scopes(book_.state().up_of(shard.pg), shard.position, scopes_);
  Found best{kNoOsd, Block::kTargetUnfit};
  for (const Scope& scope : scopes_) {
    const Found found = search(targets_.of(scope, rule), shard);
    const bool emptier =
        found.to != kNoOsd &&
        (best.to == kNoOsd || book_.rows()[found.to].fill() < book_.rows()[best.to].fill());
    if (emptier || (best.to == kNoOsd && closeness(found.block) > closeness(best.block)))
      best = found;
  }
  return best;
}

bool Engine::within_limits(uint64_t bytes) {
  const Goal& goal = book_.goal();
  if ((goal.max_moves && moves_.size() >= goal.max_moves) ||
      (goal.max_bytes && bytes_ + bytes > goal.max_bytes))
    limit_reached_ = true;
  return !limit_reached_;
}

void Engine::commit(const Shard& shard, OsdId from, OsdId to, Why why, uint64_t need) {
  const State& state = book_.state();
  Move m;
  m.pg = state.pg_ids[shard.pg];
  m.position = shard.position;
  m.from = from;
  m.to = to;
  m.bytes = shard.bytes;
  m.why = why;
  m.need = need;
  const auto before = state.upmap_items.find(shard.pg);
  if (before != state.upmap_items.end()) m.items_before = before->second;
  m.items_after = *items_for(shard, to);
  book_.apply(shard, from, to);
  targets_.update(from);
  targets_.update(to);
  bytes_ += shard.bytes;
  moves_.push_back(std::move(m));
}

bool Engine::shed(OsdId from) {
  const bool drain = book_.goal().kind == GoalKind::kDrain;
  std::vector<Shard>& shards = book_.shards(from);
  size_t swaps = 0;
  // What is as large as one without room is tried last.
  uint64_t ceiling = UINT64_MAX;
  bool lower = !drain;
  for (size_t failed = 0; drain || failed < kFailedShards; failed++) {
    const std::span<const Shard> candidates(shards.data(), first_of_size(shards, ceiling));
    const uint64_t need = book_.excess(from);
    auto choice =
        select_shard(candidates, need, drain ? Selection::kLargest : book_.goal().selection);
    if (!choice && drain && !shards.empty()) choice = Choice{0, Why::kDrained};
    if (!choice && lower) {
      lower = false;
      ceiling = UINT64_MAX;
      continue;
    }
    if (!choice) break;
    const Shard shard = shards[choice->index];
    const Found found =
        book_.is_moved(shard.pg) ? Found{kNoOsd, Block::kPgInPlan} : find_target(shard);
    if (found.to != kNoOsd && !within_limits(shard.bytes)) return false;
    shards.erase(shards.begin() + static_cast<ptrdiff_t>(choice->index));
    if (found.to != kNoOsd) {
      commit(shard, from, found.to, drain ? Why::kDrained : choice->why, need);
      return true;
    }
    if (is_tight(found.block) && swaps++ < kTightShards && shed_with_swap(from, shard)) return true;
    book_.tally(from, shard, found.block);
    if (lower && (found.block == Block::kNoTarget || found.block == Block::kShardTooLarge))
      ceiling = shard.bytes;
  }
  return false;
}

/// Another shard makes room for this one on one of the devices that the rule allows.
bool Engine::shed_with_swap(OsdId from, const Shard& shard) {
  const Rule& rule = book_.rule_of(shard.pg);
  std::vector<Scope> scopes;
  rule.scopes(book_.state().up_of(shard.pg), shard.position, scopes);
  for (const Scope& scope : scopes) {
    std::vector<OsdId> candidates;
    for (const auto& [fill, to] : targets_.of(scope, rule)) {
      if (candidates.size() >= kSwapTargets) break;
      if (!refuses(shard, to)) candidates.push_back(to);
    }
    for (OsdId to : candidates)
      if (swap_tries_++ < kMaxSwapTries && swap_on(from, to, shard)) return true;
  }
  return false;
}

bool Engine::swap_on(OsdId from, OsdId to, const Shard& shard) {
  const uint64_t room = book_.room(to);
  std::vector<Shard>& theirs = book_.shards(to);
  const uint64_t least = shard.bytes - std::min(room, shard.bytes);
  auto it = theirs.begin() + static_cast<ptrdiff_t>(first_of_size(theirs, least));
  for (int left = kSwapShards; left > 0 && it != theirs.end(); --left, ++it) {
    const Shard other = *it;
    if (other.bytes >= shard.bytes) return false;
    if (book_.is_moved(other.pg) || other.pg == shard.pg) continue;
    const Found found = find_target(other);
    if (found.to == kNoOsd || found.to == to) continue;
    if (!within_limits(shard.bytes + other.bytes)) return false;
    const uint64_t need = book_.excess(from);
    theirs.erase(it);
    commit(other, to, found.to, Why::kSwap, least);
    commit(shard, from, to, Why::kBestFit, need);
    return true;
  }
  return false;
}

bool Engine::feed(OsdId to, const Group& group, uint64_t need, double floor) {
  const auto& chosen = book_.goal().devices;
  const bool balance = book_.goal().kind == GoalKind::kBalance;
  const Targets::Ordered& senders = targets_.of(group);
  int left = kSenderTries;
  std::vector<std::pair<Shard, Block>> refusals;
  for (auto it = senders.rbegin(); it != senders.rend() && left > 0; ++it, --left) {
    const OsdId from = it->second;
    const Row& row = book_.rows()[from];
    if (row.fill() <= floor) break;
    if (from == to || (balance && !chosen.empty() && !chosen.count(from))) continue;
    if (!balance && !row.source) continue;
    const auto surplus = row.final_ - static_cast<uint64_t>(floor * static_cast<double>(row.size));
    std::vector<Shard>& shards = book_.shards(from);
    auto index = select_filler(shards, need, std::min(surplus, book_.room(to)));
    for (int tries = 0; index && tries < kFillerTries && left > 0; tries++, left--) {
      tries_++;
      const Shard shard = shards[*index];
      const bool moved = book_.is_moved(shard.pg);
      const auto block = moved ? Block::kPgInPlan : refuses(shard, to);
      if (!block) {
        if (!within_limits(shard.bytes)) return false;
        shards.erase(shards.begin() + static_cast<ptrdiff_t>(*index));
        commit(shard, from, to, Why::kFills, need);
        return true;
      }
      if (moved)
        shards.erase(shards.begin() + static_cast<ptrdiff_t>(*index));
      else
        refusals.emplace_back(shard, *block);
      index = *index > 0 && shards[*index - 1].bytes > 0 ? std::optional(*index - 1) : std::nullopt;
    }
  }
  for (const auto& [shard, block] : refusals) book_.tally(to, shard, block);
  return false;
}

std::optional<Block> Engine::move(const HandMove& hand) {
  const State& state = book_.state();
  const PgIndex pg = state.find(hand.pg);
  if (const auto block = book_.pg_block(pg)) return block;
  const auto up = state.up_of(pg);
  const auto at = std::find(up.begin(), up.end(), hand.from);
  if (at == up.end()) return Block::kSourceNotInUp;
  const auto position = static_cast<uint32_t>(at - up.begin());
  const Shard shard{state.bytes_of(pg)[position], pg, position};
  if (!book_.rows()[hand.from].size || !book_.rows()[hand.to].size) return Block::kDeviceUnknown;
  if (!book_.rows()[hand.to].receives) return Block::kTargetUnfit;
  if (const auto block = refuses(shard, hand.to)) return block;
  if (book_.room(hand.to) < shard.bytes) return Block::kTargetFull;
  if (!within_limits(shard.bytes)) return Block::kLimitReached;
  commit(shard, hand.from, hand.to, Why::kByHand, shard.bytes);
  return std::nullopt;
}

}  // namespace plimsoll::mover
