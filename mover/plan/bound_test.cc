// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/bound.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/rng.h"
#include "mover/plan/select.h"

namespace plimsoll::mover {

namespace {

uint64_t exact(const std::vector<uint64_t>& sizes, uint64_t need) {
  uint64_t best = UINT64_MAX;
  for (uint32_t set = 0; set < 1u << sizes.size(); set++) {
    uint64_t sum = 0;
    for (size_t i = 0; i < sizes.size(); i++)
      if (set >> i & 1) sum += sizes[i];
    if (sum >= need) best = std::min(best, sum);
  }
  return best == UINT64_MAX ? need : best;
}

TEST(LeastCover, IsExactWhereSumsAreSmall) {
  EXPECT_EQ(least_cover(std::vector<uint64_t>{10, 20, 50}, 25), 30u);
  EXPECT_EQ(least_cover(std::vector<uint64_t>{10, 20, 50}, 31), 50u);
  EXPECT_EQ(least_cover(std::vector<uint64_t>{10, 20, 50}, 100), 100u) << "out of reach";
  EXPECT_EQ(least_cover(std::vector<uint64_t>{}, 0), 0u);
  Rng rng(3);
  for (int round = 0; round < 500; round++) {
    std::vector<uint64_t> sizes(1 + rng.below(10));
    for (auto& s : sizes) s = 1 + rng.below(400);
    std::sort(sizes.begin(), sizes.end());
    const uint64_t need = 1 + rng.below(1500);
    EXPECT_EQ(least_cover(sizes, need), exact(sizes, need));
  }
}

TEST(LeastCover, NeverPassesTheTrueLeast) {
  Rng rng(4);
  int above = 0;
  for (int round = 0; round < 500; round++) {
    std::vector<uint64_t> sizes(1 + rng.below(10));
    for (auto& s : sizes) s = rng.below(uint64_t{1} << (1 + rng.below(45)));
    std::sort(sizes.begin(), sizes.end());
    const uint64_t need = 1 + rng.below(uint64_t{1} << (1 + rng.below(45)));
    const uint64_t best = exact(sizes, need), bound = least_cover(sizes, need);
    EXPECT_LE(bound, best);
    EXPECT_GE(bound, need);
    above += bound > need;
  }
  EXPECT_GT(above, 100) << "it says more than the need itself";
}

std::vector<Shard> shards(const std::vector<uint64_t>& sizes) {
  std::vector<Shard> out;
  for (uint64_t s : sizes) out.push_back({s, static_cast<PgIndex>(out.size()), 0});
  return out;
}

TEST(SelectShard, TheSmallestThatCovers) {
  const auto list = shards({10, 30, 50, 90});
  const auto choice = select_shard(list, 48, Selection::kBestFit);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->index, 2u);
  EXPECT_EQ(choice->why, Why::kBestFit);
}

TEST(SelectShard, TwoThatFitBetterThanOne) {
  const auto choice = select_shard(shards({10, 30, 90}), 40, Selection::kBestFit);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->index, 1u);
  EXPECT_EQ(choice->why, Why::kPair);
  const auto close = select_shard(shards({10, 30, 41}), 40, Selection::kBestFit);
  EXPECT_EQ(close->why, Why::kBestFit) << "not worth a second move";
}

TEST(SelectShard, TheLargestWhereNothingCovers) {
  const auto choice = select_shard(shards({10, 30, 90}), 500, Selection::kBestFit);
  EXPECT_EQ(choice->index, 2u);
  EXPECT_EQ(choice->why, Why::kLargest);
  EXPECT_EQ(select_shard(shards({10, 30, 90}), 5, Selection::kLargest)->index, 2u);
  EXPECT_FALSE(select_shard(shards({}), 5, Selection::kBestFit).has_value());
  EXPECT_FALSE(select_shard(shards({0, 0}), 5, Selection::kBestFit).has_value());
}

TEST(SelectFiller, FitsTheRoom) {
  const auto list = shards({10, 30, 90});
  EXPECT_EQ(select_filler(list, 20, 40), 1u);
  EXPECT_EQ(select_filler(list, 20, 25), 0u) << "30 would pass the room";
  EXPECT_EQ(select_filler(list, 200, 300), 2u);
  EXPECT_EQ(select_filler(list, 200, 50), 1u);
  EXPECT_EQ(select_filler(list, 5, 5), std::nullopt);
}

}  // namespace
}  // namespace plimsoll::mover
