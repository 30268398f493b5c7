// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/busy_poll.h"

#include <gtest/gtest.h>

#include <optional>

namespace plimsoll::osd {

namespace {

class BusyPollTest : public ::testing::Test {
 protected:
  void alone(size_t writes) {
    for (size_t i = 0; i < writes; i++) poll_.begin();
  }

  std::optional<bool> said_;
  BusyPoll poll_{[this](bool look) { said_ = look; }};
};

}  // namespace

TEST_F(BusyPollTest, LooksAfterEnoughWritesThatWereAlone) {
  alone(BusyPoll::kAlone - 1);
  EXPECT_EQ(said_, false);
  BusyPoll::Write write = poll_.begin();
  EXPECT_EQ(said_, true) << "for acknowledgements";
  said_.reset();
  write.reset();
  EXPECT_EQ(said_, true) << "for the next write";
}

TEST_F(BusyPollTest, SleepsOnceASecondWriteIsUnderWay) {
  alone(BusyPoll::kAlone);
  BusyPoll::Write one = poll_.begin();
  ASSERT_EQ(said_, true);
  BusyPoll::Write two = poll_.begin();
  EXPECT_EQ(said_, false);
  said_.reset();
  one.reset();
  EXPECT_EQ(said_, false);
  said_.reset();
  two.reset();
  EXPECT_EQ(said_, false);
  alone(BusyPoll::kAlone - 1);
  EXPECT_EQ(said_, false) << "has to be alone as often again";
  alone(1);
  EXPECT_EQ(said_, true);
}

}  // namespace plimsoll::osd
