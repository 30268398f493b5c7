// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/full_check.h"

#include <gtest/gtest.h>

#include "osd/pg/client_op.h"

namespace plimsoll::sim {
namespace {

constexpr uint64_t kLine = 1000, kFailsafe = 1100;
const PgId kPg{1, 0};

osd::SpaceLedger ledger(uint64_t used, uint64_t lent, uint64_t excepted = 0, bool exact = true) {
  return {used, lent, kLine, kFailsafe, excepted, exact};
}

map::OSDMap map_at(Epoch epoch, bool full) {
  map::OSDMap m;
  m.epoch = epoch;
  map::PgPool pool;
  if (full) pool.flags |= map::kPoolFull;
  m.pools[kPg.pool] = pool;
  return m;
}

osd::ClientOpRef write_of(Epoch epoch, uint32_t flags = 0) {
  auto op = std::make_shared<osd::ClientOp>();
  op->m.epoch = epoch;
  op->m.flags = msg::kReqWrite | flags;
  return op;
}

TEST(FullCheck, WhatIsLentCounts) {
  FullCheck check;
  check.look("osd.0", ledger(500, 500));
  check.look("osd.0", ledger(700, 300));
  EXPECT_TRUE(check.wrong().empty());
  check.look("osd.0", ledger(701, 300));
  ASSERT_EQ(check.wrong().size(), 1u);
  EXPECT_TRUE(check.wrong()[0].starts_with("space: full line of osd.0"));
}

TEST(FullCheck, OnlyWhatWasExceptedLiesAbove) {
  FullCheck check;
  check.look("osd.0", ledger(990, 0));
  check.look("osd.0", ledger(990, 60, 60));
  check.look("osd.0", ledger(1050, 0, 60));
  EXPECT_TRUE(check.wrong().empty());
  // What was given back does not count later.
  check.look("osd.0", ledger(1010, 0, 60));
  check.look("osd.0", ledger(1020, 0, 60));
  EXPECT_EQ(check.wrong().size(), 1u);
}

TEST(FullCheck, NothingLiesAboveTheFailsafeLine) {
  FullCheck check;
  check.look("osd.0", ledger(900, 0));
  check.look("osd.0", ledger(900, 201, 201));
  ASSERT_EQ(check.wrong().size(), 1u);
  EXPECT_TRUE(check.wrong()[0].starts_with("space: failsafe line"));
}

TEST(FullCheck, LoansThatEndLateMayCountTwiceForAWhile) {
  FullCheck check;
  check.look("osd.0", ledger(600, 400, 0, false));
  check.look("osd.0", ledger(800, 400, 0, false));
  EXPECT_TRUE(check.wrong().empty());
  check.look("osd.0", ledger(1001, 0, 0, false));
  EXPECT_EQ(check.wrong().size(), 1u);
}

TEST(FullCheck, WhatWasSentBeforeTheFullEpochIsNotOrderedAfterIt) {
  FullCheck check;
  for (Epoch e = 10; e <= 14; e++) check.came_to(kPg, map_at(e, e == 12 || e == 13));
  check.ordered(kPg, *write_of(11), map_at(11, false));
  check.ordered(kPg, *write_of(11, msg::kReqFullTry), map_at(13, true));
  check.ordered(kPg, *write_of(12), map_at(14, false));
  EXPECT_TRUE(check.wrong().empty());
  // Also when the pool is no longer full, and by a primary that has not seen it.
  check.ordered(kPg, *write_of(11), map_at(14, false));
  ASSERT_EQ(check.wrong().size(), 1u);
  EXPECT_TRUE(check.wrong()[0].starts_with("order: "));
}

}  // namespace
}  // namespace plimsoll::sim
