// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/select.h"

#include <algorithm>

namespace plimsoll::mover {

namespace {

/// A second move is worth it when it saves this part of what the one would copy.
constexpr uint64_t kPairSaves = 16;

struct Pair {
  uint64_t bytes = 0;
  size_t larger = 0;
};

/// The two of least sum that cover the need.
std::optional<Pair> closest_pair(std::span<const Shard> shards, uint64_t need) {
  std::optional<Pair> best;
  size_t low = 0, high = shards.size();
  while (low + 1 < high) {
    const uint64_t sum = shards[low].bytes + shards[high - 1].bytes;
    if (sum < need) {
      low++;
      continue;
    }
    if (!best || sum < best->bytes) best = Pair{sum, high - 1};
    high--;
  }
  return best;
}

}  // namespace

size_t first_of_size(std::span<const Shard> shards, uint64_t bytes) {
  return static_cast<size_t>(
      std::lower_bound(shards.begin(), shards.end(), bytes,
                       [](const Shard& s, uint64_t b) { return s.bytes < b; }) -
      shards.begin());
}

std::optional<Choice> select_shard(std::span<const Shard> shards, uint64_t need,
                                   Selection selection) {
  if (shards.empty() || shards.back().bytes == 0) return std::nullopt;
  const size_t largest = shards.size() - 1;
  if (selection == Selection::kLargest) return Choice{largest, Why::kLargest};
  const size_t covers = first_of_size(shards, need);
  const auto pair = closest_pair(shards.first(covers), need);
  if (covers > largest)
    return pair ? Choice{pair->larger, Why::kPair} : Choice{largest, Why::kLargest};
  const uint64_t single = shards[covers].bytes;
  if (pair && pair->bytes + single / kPairSaves < single) return Choice{pair->larger, Why::kPair};
  return Choice{covers, Why::kBestFit};
}

std::optional<size_t> select_filler(std::span<const Shard> shards, uint64_t need, uint64_t room) {
  const size_t covers = first_of_size(shards, need);
  if (covers < shards.size() && shards[covers].bytes <= room) return covers;
  const size_t above = first_of_size(shards, std::min(need, room) + 1);
  if (above == 0 || shards[above - 1].bytes == 0) return std::nullopt;
  return above - 1;
}

}  // namespace plimsoll::mover
