// SPDX-License-Identifier: LGPL-2.1-or-later
// The journal keeps what it acknowledged, over laps, crashes and damage, and takes nothing for a
// record that this opening did not write.
#include "osd/store/journal.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"
#include "osd/store/test_runtime.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kFile = 128_KiB;

Uuid instance(uint8_t n) {
  Uuid u;
  u.bytes.fill(n);
  return u;
}

/// A payload that says its number and is random otherwise.
std::string payload(uint64_t number, size_t size) {
  Rng rng(number);
  std::string out = std::to_string(number) + " ";
  while (out.size() < size) out.push_back(static_cast<char>(rng.next()));
  return out;
}

Buffer record(const std::string& p) {
  Buffer b(Journal::buffer_size(p.size()), kBlock);
  std::memset(b.data(), 0, b.size());
  std::memcpy(b.data() + Journal::kHead, p.data(), p.size());
  return b;
}

struct JournalTest : ::testing::Test {
  FaultDisk disk;
  std::unique_ptr<FaultRuntime> rt = std::make_unique<FaultRuntime>(disk, 1);
  std::unique_ptr<Journal> journal;
  Rng rng{3};
  uint64_t numbers = 0;

  std::unique_ptr<BlockFile> file(bool create) {
    BlockFileOptions options;
    options.create = create;
    options.size = kFile;
    auto opened = rt->run(rt->open_block_file("journal", options));
    CHECK(opened.has_value());
    return std::move(*opened);
  }
  void make(uint8_t store, bool create = true) {
    ASSERT_TRUE(rt->run(Journal::make(*file(create), instance(store))));
  }
  Result<> open(uint8_t store = 1) {
    journal = std::make_unique<Journal>(file(false));
    return rt->run(journal->open(instance(store)));
  }
  /// The records that it finds, and after that it may be written.
  std::vector<std::string> replay() {
    std::vector<std::string> out;
    for (;;) {
      auto next = rt->run(journal->next());
      EXPECT_TRUE(next);
      if (!*next) break;
      out.push_back((*next)->to_string());
    }
    EXPECT_TRUE(rt->run(journal->restart()));
    return out;
  }
  std::vector<std::string> reopen() {
    auto opened = open();
    EXPECT_TRUE(opened) << opened.error().to_string();
    return replay();
  }
  std::string append(size_t size) {
    const std::string p = payload(++numbers, size);
    EXPECT_TRUE(journal->fits(p.size()));
    EXPECT_TRUE(rt->run(journal->append(record(p), p.size())));
    return p;
  }
  std::string& image() { return disk.files["journal"].durable; }
  /// After which the process and all that was under way are gone.
  void crash() {
    journal.reset();
    rt = std::make_unique<FaultRuntime>(disk, rng.next());
    disk.crash(rng);
  }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_F(JournalTest, KeepsWhatWasAppendedAndNotTrimmedOverManyLaps) {
  make(1);
  EXPECT_EQ(reopen(), Texts());
  std::deque<std::pair<uint64_t, std::string>> live;
  uint64_t written = 0;
  for (int round = 0; round < 400; round++) {
    const size_t size = rng.chance(0.3) ? rng.below(25'000) : rng.below(6000);
    while (!journal->fits(size + 25)) {
      // Nearly full is the rule: what is freed is used again at once.
      ASSERT_FALSE(live.empty());
      const size_t some = 1 + rng.below(live.size());
      ASSERT_TRUE(rt->run(journal->trim(live[some - 1].first)));
      live.erase(live.begin(), live.begin() + static_cast<ptrdiff_t>(some));
    }
    std::string p = append(size);
    written += p.size();
    live.emplace_back(journal->last(), std::move(p));
    if (!rng.chance(0.1)) continue;
    crash();
    Texts want;
    for (const auto& l : live) want.push_back(l.second);
    ASSERT_EQ(reopen(), want) << "round " << round;
    live.clear();
  }
  EXPECT_GT(written, 10 * kFile);
}

TEST_F(JournalTest, ARecordThatACrashTearsIsThereWholeOrNotAtAll) {
  make(1);
  int kept = 0, lost = 0;
  for (int round = 0; round < 60; round++) {
    ASSERT_TRUE(open());
    replay();
    const std::string first = append(100);
    const std::string p = payload(++numbers, 3 * kBlock);
    spawn_detached(rt->executor(), [](Journal& j, std::string text) -> Task<void> {
      auto done = co_await j.append(record(text), text.size());
      EXPECT_FALSE(done) << "the crash comes first";
    }(*journal, p));
    rt->poll();
    crash();
    const Texts got = reopen();
    ASSERT_GE(got.size(), 1u);
    EXPECT_EQ(got[0], first);
    if (got.size() > 1) EXPECT_EQ(got[1], p);
    (got.size() > 1 ? kept : lost)++;
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(lost, 20);
}

TEST_F(JournalTest, AnyDamageEndsReplay) {
  make(1);
  reopen();
  Texts all;
  for (int i = 0; i < 3; i++) all.push_back(append(5000));
  crash();
  const std::string good = image();
  for (uint64_t at = 0; at < Journal::kHead + 5000; at += 1 + rng.below(200)) {
    image() = good;
    image()[Journal::kRing + 2 * kBlock + at] ^= 1;  // the second record
    crash();
    ASSERT_TRUE(open());
    EXPECT_EQ(replay(), Texts(all.begin(), all.begin() + 1)) << at;
  }
}

TEST_F(JournalTest, ARecordOfAnEarlierOpeningAtItsVeryPlaceDoesNotCount) {
  make(1);
  reopen();
  const std::string first = append(100);
  const std::string before = image();
  append(100);
  const std::string with_second = image();
  // The second was under way in the crash: this time it is not found...
  image() = before;
  crash();
  EXPECT_EQ(reopen(), Texts(1, first));
  // ... and the sectors that were missing then turn up later.
  image().replace(Journal::kRing, kFile - Journal::kRing, with_second, Journal::kRing);
  crash();
  EXPECT_EQ(reopen(), Texts());
}

TEST_F(JournalTest, WhatAnEarlierStoreLeftIsNotRead) {
  make(1);
  reopen();
  append(100);
  append(100);
  journal.reset();
  make(2, false);
  const auto refused = open(1);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text().find("does not belong"), std::string::npos);
  ASSERT_TRUE(open(2));
  EXPECT_EQ(replay(), Texts());
}

TEST_F(JournalTest, OneStateIsEnoughAndTwoDamagedAreNamed) {
  make(1);
  reopen();
  const std::string p = append(100);
  crash();
  // make() wrote generation 0 and 1, reopen() 2.
  const uint64_t newest = 0, older = kBlock;
  const std::string good = image();
  image()[older + 20] ^= 1;
  crash();
  EXPECT_EQ(reopen(), Texts(1, p));
  image() = good;
  for (const uint64_t at : {newest, older}) image()[at + 20] ^= 1;
  crash();
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), EINVAL);
  EXPECT_NE(refused.error().text().find("journal state"), std::string::npos);
}

TEST_F(JournalTest, IsFullUntilADurableStateSaysOtherwise) {
  make(1);
  reopen();
  while (journal->fits(20'000)) append(20'000);
  EXPECT_GT(journal->used(), journal->size() / 2);
  EXPECT_TRUE(journal->can_hold(20'000));
  EXPECT_FALSE(journal->can_hold(journal->size() / 2));
  ASSERT_TRUE(rt->run(journal->trim(0)));
  EXPECT_FALSE(journal->fits(20'000));
  disk.fail_durable_in = 1;
  EXPECT_FALSE(rt->run(journal->trim(1)));
  EXPECT_FALSE(journal->fits(20'000));
  ASSERT_TRUE(rt->run(journal->trim(journal->last())));
  EXPECT_EQ(journal->used(), 0u);
  EXPECT_TRUE(journal->fits(20'000));
}

}  // namespace plimsoll::osd
