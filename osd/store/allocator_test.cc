// SPDX-License-Identifier: LGPL-2.1-or-later
// The allocator against a vector of flags, and what it promises of shape.
#include "osd/store/allocator.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"

namespace plimsoll::osd {

namespace {

uint64_t longest_free(const Allocator& a, uint64_t blocks) {
  uint64_t longest = 0, run = 0;
  for (uint64_t b = 0; b < blocks; b++) {
    run = a.is_free(b) ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  return longest;
}

}  // namespace

TEST(Allocator, RandomUseEqualsANaiveModel) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Rng rng(seed);
    const uint64_t blocks = 100 + rng.below(5000);
    Allocator a(blocks);
    FreeMap map(blocks);
    std::vector<bool> used(blocks, true);
    for (uint64_t b = 0; b < blocks; b++) map.mark({b, 1}, true);
    std::vector<BlockRun> held(1, BlockRun{0, blocks});
    for (int step = 0; step < 400; step++) {
      if (rng.chance(0.5) && a.free()) {
        const uint64_t want =
            1 + rng.below(std::min<uint64_t>(a.free(), rng.chance(0.3) ? 600 : 20));
        const uint64_t longest = longest_free(a, blocks);
        std::vector<BlockRun> got;
        a.allocate(want, got);
        // In one piece where there is one.
        if (want <= longest) EXPECT_EQ(got.size(), 1u) << "seed " << seed << " step " << step;
        uint64_t sum = 0;
        for (const auto run : got) {
          sum += run.count;
          ASSERT_LE(run.end(), blocks);
          for (uint64_t b = run.first; b < run.end(); b++) {
            ASSERT_FALSE(used[b]);
            used[b] = true;
          }
          map.mark(run, true);
          held.push_back(run);
        }
        ASSERT_EQ(sum, want);
      } else if (!held.empty()) {
        std::swap(held[rng.below(held.size())], held.back());
        BlockRun& run = held.back();
        const BlockRun part{run.first, 1 + rng.below(run.count)};
        a.release(part);
        map.mark(part, false);
        for (uint64_t b = part.first; b < part.end(); b++) used[b] = false;
        run = {part.end(), run.count - part.count};
        if (!run.count) held.pop_back();
      }
      uint64_t free = 0;
      for (uint64_t b = 0; b < blocks; b++) free += !used[b];
      ASSERT_EQ(a.free(), free);
    }
    for (uint64_t b = 0; b < blocks; b++) {
      ASSERT_EQ(a.is_free(b), !used[b]);
      ASSERT_EQ(map.is_used(b), used[b]);
    }
  }
}

TEST(Allocator, GathersPiecesWhenFragmented) {
  Allocator a(3000);
  for (uint64_t b = 0; b < 3000; b += 3) a.release({b, 1});
  a.release({100, 1});  // makes 99..100 the longest run
  std::vector<BlockRun> got;
  a.allocate(500, got);
  EXPECT_EQ(got[0], (BlockRun{99, 2}));
  EXPECT_EQ(got.size(), 499u);
  got.clear();
  a.allocate(a.free(), got);
  EXPECT_EQ(a.free(), 0u);
}

TEST(Allocator, SmallOnesStayOutOfTheWayOfLargeOnes) {
  Allocator a(8192);
  a.release({0, 8192});
  std::vector<BlockRun> small, large;
  for (int i = 0; i < 100; i++) a.allocate(1, small);
  for (int i = 0; i < 5; i++) a.allocate(1024, large);
  EXPECT_EQ(small.size(), 1u);  // one after the other
  EXPECT_EQ(large.size(), 1u);
}

TEST(FreeMap, SurvivesItsOwnEncoding) {
  Rng rng(4);
  FreeMap map(5000);
  for (int i = 0; i < 200; i++) {
    const BlockRun run{rng.below(4900), 1};
    if (!map.is_used(run.first)) map.mark(run, true);
  }
  FreeMap again(5000);
  for (const uint64_t chunk : map.take_dirty()) {
    const std::string bits = map.bitmap(chunk);
    if (!bits.empty()) ASSERT_TRUE(again.load(chunk, bits));
  }
  EXPECT_TRUE(map.take_dirty().empty());
  EXPECT_EQ(map.free_runs(), again.free_runs());
  uint64_t free = 0;
  for (const auto run : again.free_runs()) free += run.count;
  uint64_t used = 0;
  for (uint64_t b = 0; b < 5000; b++) used += again.is_used(b);
  EXPECT_EQ(free + used, 5000u);

  EXPECT_FALSE(again.load(5, std::string(128, '\0')));             // beyond the device
  EXPECT_FALSE(again.load(4, std::string(128, '\xff')));           // its tail is
  EXPECT_FALSE(again.load(0, "short"));
}

}  // namespace plimsoll::osd
