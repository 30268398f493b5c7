// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/bound.h"

#include <algorithm>
#include <bitset>
#include <memory>
#include <numeric>
#include <optional>

namespace plimsoll::mover {

namespace {

constexpr size_t kUnits = 1 << 14;
/// More shards than this fill every gap between sums anyway.
constexpr size_t kMaxShards = 48;

/// Exact for one and two shards; three or more take at least the three smallest.
uint64_t by_count(std::span<const uint64_t> all, uint64_t need) {
  uint64_t best = UINT64_MAX;
  const auto single = std::lower_bound(all.begin(), all.end(), need);
  if (single != all.end()) best = *single;
  for (size_t low = 0, high = all.size(); low + 1 < high;) {
    const uint64_t sum = all[low] + all[high - 1];
    if (sum < need) {
      low++;
    } else {
      best = std::min(best, sum);
      high--;
    }
  }
  if (all.size() >= 3) best = std::min(best, std::max(need, all[0] + all[1] + all[2]));
  return best;
}

/// Sums in units, rounded down: the true sum of a set of n shards is below its units plus n.
uint64_t by_sums(std::span<const uint64_t> all, uint64_t need) {
  const uint64_t unit = need / (kUnits / 2) + 1;
  using Sums = std::bitset<kUnits>;
  auto sums = std::make_unique<Sums>();
  sums->set(0);
  uint64_t covers = UINT64_MAX;  // by a single shard beyond the table
  for (uint64_t bytes : all) {
    const uint64_t units = bytes / unit;
    if (units >= kUnits)
      covers = std::min(covers, bytes);
    else
      *sums |= *sums << units;
  }
  const uint64_t lost = unit > 1 ? all.size() : 0;
  const uint64_t first = need / unit > lost ? need / unit - lost : 0;
  for (uint64_t units = first; units < kUnits; units++)
    if (sums->test(units)) return std::min(covers, std::max(need, units * unit));
  return std::min(covers, kUnits * unit);
}

uint64_t positive(double bytes) {
  return bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
}

std::vector<uint64_t> sizes_on(const Book& book, OsdId osd) {
  std::vector<uint64_t> out;
  book.for_each_position(osd, [&](const Shard& s) { out.push_back(s.bytes); });
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

uint64_t least_cover(std::span<const uint64_t> all, uint64_t need) {
  if (need == 0 || std::accumulate(all.begin(), all.end(), uint64_t{0}) < need) return need;
  const uint64_t bound = by_count(all, need);
  if (all.size() > kMaxShards) return std::max(bound, need);
  return std::max(bound, by_sums(all, need));
}

uint64_t lower_bound(const Book& book, const std::vector<Group>& groups) {
  const Goal& goal = book.goal();
  uint64_t leave = 0, come = 0;
  for (OsdId osd = 0; osd < book.num_osds(); osd++) {
    const Row& row = book.rows()[osd];
    if (row.group < 0) continue;
    const double size = static_cast<double>(row.size), mean = groups[row.group].mean();
    const auto use = static_cast<double>(row.final_);
    if (row.asked) {
      const std::vector<uint64_t> sizes = sizes_on(book, osd);
      if (goal.kind == GoalKind::kDrain)
        leave += std::accumulate(sizes.begin(), sizes.end(), uint64_t{0});
      else
        leave += least_cover(sizes, positive(use - goal_fill(book, groups, osd) * size));
    }
    if (goal.kind == GoalKind::kBalance || (goal.kind == GoalKind::kFill && row.receives))
      come += positive((mean - goal.within) * size - use);
  }
  return std::max(leave, come);
}

}  // namespace plimsoll::mover
