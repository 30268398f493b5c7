// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/upmap.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/rng.h"

namespace plimsoll::mover {

namespace {

using Osds = std::vector<OsdId>;
using Items = map::UpmapItems;

TEST(UpmapItems, OnePairForOneMove) {
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{1, 9, 3}, false), (Items{{2, 9}}));
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{1, 9, 3}, true), (Items{{2, 9}}));
}

TEST(UpmapItems, NoEntryWhereCrushSaysTheSame) {
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{1, 2, 3}, true), Items{});
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{3, 1, 2}, false), Items{}) << "order is free";
}

TEST(UpmapItems, AnEntryIsMadeAnewNotAddedTo) {
  // 2 went to 4 before, now from 4 to 5: a pair (4, 5) would be dropped, 4 is not in CRUSH's
  // answer.
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{1, 5, 3}, true), (Items{{2, 5}}));
}

TEST(UpmapItems, MovingBackRemovesThePair) {
  // The entry was (2, 4); 4 goes back to 2, and 1 goes to 4.
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{4, 2, 3}, true), (Items{{1, 4}}));
}

TEST(UpmapItems, ATargetLeavesItsPositionFirst) {
  // Position 0 takes 2, which stands at position 1 and goes to 9.
  const auto items = upmap_items(Osds{1, 2, 3}, Osds{2, 9, 3}, true);
  ASSERT_TRUE(items.has_value());
  EXPECT_EQ(*items, (Items{{2, 9}, {1, 2}}));
  EXPECT_EQ(apply_upmap_items(Osds{1, 2, 3}, *items), (Osds{2, 9, 3}));
}

TEST(UpmapItems, InReplicatedPoolsOnePairIsEnough) {
  const auto items = upmap_items(Osds{1, 2, 3}, Osds{2, 9, 3}, false);
  ASSERT_TRUE(items.has_value());
  EXPECT_EQ(*items, (Items{{1, 9}}));
}

TEST(UpmapItems, ShardsThatChangePlacesCannotBeSaid) {
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{2, 1, 3}, true), std::nullopt);
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{2, 3, 1}, true), std::nullopt);
}

TEST(UpmapItems, HolesCannotBeFilledOrMade) {
  EXPECT_EQ(upmap_items(Osds{1, kOsdNone, 3}, Osds{1, 2, 3}, true), std::nullopt);
  EXPECT_EQ(upmap_items(Osds{1, 2, 3}, Osds{1, kOsdNone, 3}, true), std::nullopt);
  EXPECT_EQ(upmap_items(Osds{1, kOsdNone, 3}, Osds{4, kOsdNone, 3}, true), (Items{{1, 4}}));
}

TEST(ApplyUpmapItems, DeadPairsDoNothing) {
  EXPECT_EQ(apply_upmap_items(Osds{1, 2, 3}, {{1, 2}}), (Osds{1, 2, 3})) << "target is there";
  EXPECT_EQ(apply_upmap_items(Osds{1, 2, 3}, {{7, 9}}), (Osds{1, 2, 3})) << "source is not";
  EXPECT_EQ(apply_upmap_items(Osds{1, 2, 3}, {{1, 4}, {4, 1}}), (Osds{1, 2, 3}));
}

/// Whatever is made has the result that was asked for, each pair's source is CRUSH's own choice, no
/// source or target occurs twice, and no pair is dead.
TEST(UpmapItems, TakeEffectForAnyVectors) {
  Rng rng(1);
  int said = 0, unsaid = 0;
  for (int round = 0; round < 20000; round++) {
    const bool erasure = rng.chance(0.5);
    const size_t width = 1 + rng.below(5);
    auto draw = [&] {
      Osds pool{0, 1, 2, 3, 4, 5, 6}, out;
      for (size_t i = 0; i < width; i++) {
        const size_t at = rng.below(pool.size());
        out.push_back(pool[at]);
        pool.erase(pool.begin() + static_cast<ptrdiff_t>(at));
      }
      return out;
    };
    const Osds raw = draw(), up = draw();
    const auto items = upmap_items(raw, up, erasure);
    if (!items) {
      EXPECT_TRUE(erasure);
      unsaid++;
      continue;
    }
    said++;
    Osds result = apply_upmap_items(raw, *items), wanted = up;
    if (!erasure) {
      std::sort(result.begin(), result.end());
      std::sort(wanted.begin(), wanted.end());
    }
    ASSERT_EQ(result, wanted);
    for (size_t i = 0; i < items->size(); i++) {
      EXPECT_EQ(std::count(raw.begin(), raw.end(), (*items)[i].first), 1);
      Items without = *items;
      without.erase(without.begin() + static_cast<ptrdiff_t>(i));
      EXPECT_NE(apply_upmap_items(raw, without), apply_upmap_items(raw, *items));
    }
  }
  EXPECT_GT(said, 15000);
  EXPECT_GT(unsaid, 100);
}

}  // namespace
}  // namespace plimsoll::mover
