// SPDX-License-Identifier: LGPL-2.1-or-later
// Lending never passes a line; fullness is sticky as long as it must be; credit is taken from all
// members or from none.
#include <gtest/gtest.h>

#include "common/base/rng.h"
#include "osd/space/credit_pool.h"
#include "osd/space/fullness.h"
#include "osd/space/lender.h"

namespace plimsoll::osd {
namespace {

using Borrower = SpaceLender::Borrower;

// ---- lender

TEST(SpaceLender, LendsLessTheNearerTheLine) {
  SpaceLender lender;
  lender.set_lines(1000_MiB, 1020_MiB);
  EXPECT_EQ(lender.lend({1, 0}, 4_MiB, false, 0), SpaceLender::kQuantum);
  EXPECT_EQ(lender.lend({2, 0}, 4_MiB, false, 900_MiB), 68_MiB / 12);
  EXPECT_EQ(lender.lend({3, 0}, 4_MiB, false, 958_MiB), 4_MiB);
  EXPECT_EQ(lender.lend({3, 0}, 4_MiB, false, 958_MiB), 0u);
}

TEST(SpaceLender, OnlyTheReserveGoesAboveTheFullLine) {
  SpaceLender lender;
  lender.set_lines(100_MiB, 110_MiB);
  EXPECT_EQ(lender.lend({1, 0}, 1, false, 100_MiB), 0u);
  EXPECT_EQ(lender.lend({1, 0}, 8_MiB, true, 100_MiB), 8_MiB);
  EXPECT_EQ(lender.lend({1, 0}, 3_MiB, true, 100_MiB), 0u);
  EXPECT_EQ(lender.headroom(100_MiB, false), -static_cast<int64_t>(8_MiB));
}

TEST(SpaceLender, ResetLeavesWhatIsInFlight) {
  SpaceLender lender;
  lender.set_lines(100_MiB, 110_MiB);
  lender.lend({1, 0}, 10_MiB, true, 0);
  lender.lend({1, 1}, 5_MiB, true, 0);
  lender.reset({1, 0}, 3_MiB);
  EXPECT_EQ(lender.lent(), 8_MiB);
  lender.reset({1, 0}, 50_MiB);
  EXPECT_EQ(lender.lent(), 8_MiB);
  lender.forget(1);
  EXPECT_EQ(lender.lent(), 0u);
  lender.end({1, 0}, 1_MiB);
  EXPECT_EQ(lender.lent(), 0u);
}

/// Any order of loans, landings, returns, resets and deletes.
TEST(SpaceLender, UseAndLoansStayBelowTheLine) {
  Rng rng(3);
  constexpr uint64_t kFull = 64_MiB, kFailsafe = 68_MiB;
  SpaceLender lender;
  lender.set_lines(kFull, kFailsafe);
  uint64_t used = 0, above = 0;
  std::map<Borrower, uint64_t> unspent;
  for (int i = 0; i < 200'000; i++) {
    const Borrower who{static_cast<OsdId>(rng.below(4)), static_cast<uint32_t>(rng.below(2))};
    const uint64_t bytes = 4096 * (1 + rng.below(1024));
    switch (rng.below(6)) {
      case 0: {
        const bool reserve = rng.chance(0.2);
        const uint64_t granted = lender.lend(who, bytes, reserve, used);
        unspent[who] += granted;
        if (granted) ASSERT_LE(used + lender.lent(), reserve ? kFailsafe : kFull);
        above += reserve && granted;
        break;
      }
      case 1:
      case 2: {
        const uint64_t spent = std::min(unspent[who], bytes);
        unspent[who] -= spent;
        used += spent;
        lender.end(who, spent);
        break;
      }
      case 3:
        lender.end(who, std::exchange(unspent[who], 0));
        break;
      case 4:
        lender.reset(who, 0);
        unspent[who] = 0;
        break;
      default:
        used -= std::min(used, rng.below(8 * bytes));
    }
    ASSERT_LE(used + lender.lent(), kFailsafe);
  }
  EXPECT_GT(above, 0u);
}

// ---- fullness

constexpr map::FullRatios kRatios{0.85, 0.90, 0.95, 0.97};
constexpr uint64_t kTotal = 1000_MiB;
TimePoint at(int64_t ms) {
  return TimePoint{std::chrono::milliseconds(ms)};
}

TEST(Fullness, FollowsTheRatios) {
  Fullness f;
  EXPECT_FALSE(f.update({kTotal, 850_MiB, 0}, kRatios, at(0)));
  EXPECT_TRUE(f.update({kTotal, 851_MiB, 0}, kRatios, at(1)));
  EXPECT_EQ(f.state(), map::kOsdNearFull);
  f.update({kTotal, 901_MiB, 0}, kRatios, at(2));
  EXPECT_EQ(f.state(), map::kOsdBackfillFull);
  f.update({kTotal, 951_MiB, 0}, kRatios, at(3));
  EXPECT_EQ(f.state(), map::kOsdFull);
  EXPECT_FALSE(f.failsafe());
  f.update({kTotal, 971_MiB, 0}, kRatios, at(4));
  EXPECT_TRUE(f.failsafe());
  f.update({kTotal, 950_MiB, 0}, kRatios, at(5));
  EXPECT_EQ(f.state(), map::kOsdBackfillFull);
  EXPECT_EQ(f.reason(), "");
}

TEST(Fullness, ARefusalIsStickyUntilThereIsRoom) {
  Fullness f;
  f.update({kTotal, 948_MiB, 0}, kRatios, at(0));
  f.refused(4_MiB, at(1));
  EXPECT_TRUE(f.update({kTotal, 948_MiB, 0}, kRatios, at(1)));
  EXPECT_EQ(f.state(), map::kOsdFull);
  EXPECT_EQ(f.reason(), "refused a 4 MiB write: 2 MiB short of the full line; free 8 MiB to clear");
  // Room, but too soon; then late enough, but too little room.
  f.update({kTotal, 900_MiB, 0}, kRatios, at(200));
  EXPECT_EQ(f.state(), map::kOsdFull);
  f.update({kTotal, 941_MiB, 0}, kRatios, at(300));
  EXPECT_EQ(f.state(), map::kOsdFull);
  f.update({kTotal, 930_MiB, 10_MiB}, kRatios, at(310));
  EXPECT_EQ(f.state(), map::kOsdBackfillFull);
}

TEST(Fullness, KeysAndValuesCountWhereTheyAreWorse) {
  Fullness f;
  f.update({kTotal, 860_MiB, 0, 96_MiB, 100_MiB}, kRatios, at(0));
  EXPECT_EQ(f.state(), map::kOsdFull);
  EXPECT_EQ(f.reason(), "has keys and values for 96 MiB of 100 MiB; free 1 MiB of them to clear");
  EXPECT_FALSE(f.failsafe());
  f.update({kTotal, 860_MiB, 0, 98_MiB, 100_MiB}, kRatios, at(1));
  EXPECT_TRUE(f.failsafe());
  f.update({kTotal, 860_MiB, 0, 50_MiB, 100_MiB}, kRatios, at(2));
  EXPECT_EQ(f.state(), map::kOsdNearFull);
  EXPECT_EQ(f.reason(), "");
}

TEST(Fullness, AFullHostCountsBeforeAnythingFails) {
  Fullness f;
  Fullness::Space space{kTotal, 100_MiB};
  space.host_reserve = 64_MiB;
  space.host_free = 64_MiB;
  space.ballast = space.ballast_whole = 128_MiB;
  EXPECT_FALSE(f.update(space, kRatios, at(0)));
  space.host_free = 63_MiB;
  EXPECT_TRUE(f.update(space, kRatios, at(1)));
  EXPECT_EQ(f.state(), map::kOsdFull);
  EXPECT_TRUE(f.host_short());
  EXPECT_EQ(f.reason(),
            "host file system full: 63 MiB free, 128 MiB of 128 MiB ballast left; "
            "free 17 MiB there to clear");
  // The cause outranks that of a refusal, and changes are news.
  f.refused(4_MiB, at(2));
  space.host_free = 0;
  space.ballast = 100_MiB;
  f.update(space, kRatios, at(3));
  EXPECT_EQ(f.reason(),
            "host file system full: 0 KiB free, 100 MiB of 128 MiB ballast left; "
            "free 108 MiB there to clear");
  EXPECT_FALSE(f.failsafe());
  space.ballast = 0;
  EXPECT_TRUE(f.update(space, kRatios, at(4)));
  EXPECT_TRUE(f.failsafe());
  // Room is not enough until the ballast is whole, and not without some more than the reserve.
  space.host_free = 500_MiB;
  f.update(space, kRatios, at(900));
  EXPECT_EQ(f.state(), map::kOsdFull);
  space.ballast = 128_MiB;
  space.host_free = 79_MiB;
  f.update(space, kRatios, at(1000));
  EXPECT_EQ(f.state(), map::kOsdFull);
  EXPECT_FALSE(f.failsafe());
  space.host_free = 80_MiB;
  EXPECT_TRUE(f.update(space, kRatios, at(1100)));
  EXPECT_EQ(f.state(), 0u);
  EXPECT_EQ(f.reason(), "");
}

TEST(Fullness, AHostWithoutBallastIsShortByItsReserveAlone) {
  Fullness f;
  Fullness::Space space{kTotal, 100_MiB};
  space.host_reserve = 64_MiB;
  space.host_free = 1_MiB;
  f.update(space, kRatios, at(0));
  EXPECT_EQ(f.reason(), "host file system full: 1 MiB free; free 79 MiB there to clear");
  EXPECT_FALSE(f.failsafe());
}

TEST(Fullness, InjectionEndsByItself) {
  Fullness f;
  f.inject(map::kOsdFull, true, 2);
  EXPECT_TRUE(f.update({kTotal, 0, 0}, kRatios, at(0)));
  EXPECT_TRUE(f.failsafe());
  EXPECT_FALSE(f.update({kTotal, 0, 0}, kRatios, at(1)));
  EXPECT_TRUE(f.update({kTotal, 0, 0}, kRatios, at(2)));
  EXPECT_EQ(f.state(), 0u);
}

// ---- credit

struct TestClock : Clock {
  TimePoint now() const override { return time; }
  Utime wall() const override { return {}; }
  Timer call_after(const Executor&, Duration, std::function<void()>) override { return {}; }
  TimePoint time{1s};
};

struct Pool : ::testing::Test {
  struct Ask {
    OsdId from;
    bool reserve, ahead;
    uint64_t want;
  };
  TestClock clock;
  std::vector<Ask> asks;
  std::map<OsdId, uint64_t> returned;
  int changes = 0;
  CreditPool pool{
      clock,
      {[this](OsdId from, bool reserve, bool ahead, uint64_t want) {
         asks.push_back({from, reserve, ahead, want});
       },
       [this](OsdId to, uint64_t bytes) { returned[to] += bytes; }, [this] { changes++; }}};
  const std::vector<OsdId> members{0, 1};
};

TEST_F(Pool, TakesFromAllOrFromNone) {
  EXPECT_EQ(pool.take(members, 100, false), Credit::kAsked);
  ASSERT_EQ(asks.size(), 2u);
  pool.replied(0, false, 100, 1000);
  EXPECT_EQ(pool.take(members, 100, false), Credit::kAsked);
  EXPECT_EQ(asks.size(), 2u);
  pool.replied(1, false, 100, 100);
  EXPECT_EQ(pool.take(members, 100, false), Credit::kTaken);
  EXPECT_EQ(pool.unspent(0), 900u);
  EXPECT_EQ(pool.unspent(1), 0u);
  EXPECT_EQ(changes, 2);
  // The next loan is asked for before anybody waits for it.
  ASSERT_EQ(asks.size(), 3u);
  EXPECT_EQ(asks[2].from, 1);
  EXPECT_TRUE(asks[2].ahead);
}

TEST_F(Pool, ARefusalStandsForAWhile) {
  pool.take(members, 100, false);
  pool.replied(0, false, 100, 1000);
  pool.replied(1, false, 100, 0);
  EXPECT_EQ(pool.take(members, 100, false), Credit::kRefused);
  EXPECT_EQ(pool.unspent(0), 1000u);
  EXPECT_EQ(asks.size(), 2u);
  EXPECT_EQ(pool.take(members, 50, false), Credit::kAsked);
  pool.replied(1, false, 50, 0);
  clock.time = clock.time + CreditPool::kRefusalHolds;
  EXPECT_EQ(pool.take(members, 100, false), Credit::kAsked);
}

TEST_F(Pool, GivesBackMostOfWhatItDoesNotUse) {
  constexpr uint64_t kLoan = 1_MiB, kSpent = 4096;
  pool.take(members, kSpent, false);
  pool.replied(0, false, kSpent, kLoan);
  pool.replied(1, false, kSpent, kLoan);
  EXPECT_EQ(pool.take(members, kSpent, false), Credit::kTaken);
  pool.trim();
  EXPECT_TRUE(returned.empty());
  pool.trim();
  EXPECT_EQ(returned[0], kLoan - kSpent - CreditPool::kKeep);
  EXPECT_EQ(pool.unspent(0), CreditPool::kKeep);
  pool.recalled(1);
  EXPECT_EQ(returned[1], kLoan - kSpent);
  EXPECT_EQ(pool.unspent(1), 0u);
}

TEST_F(Pool, AsksBeforeAnybodyWaits) {
  pool.prefetch(members);
  pool.prefetch(members);
  ASSERT_EQ(asks.size(), 2u);
  EXPECT_TRUE(asks[0].ahead);
  pool.replied(0, false, CreditPool::kKeep, 0);
  // That it was refused ahead of need means nothing to who needs it.
  EXPECT_EQ(pool.take({0}, 4096, false), Credit::kAsked);
}

}  // namespace
}  // namespace plimsoll::osd
