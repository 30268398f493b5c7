// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/waves.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"

namespace plimsoll::mover {

namespace {

Move move_of(OsdId from, OsdId to, uint64_t bytes, uint32_t seed = 0) {
  Move m;
  m.pg = {1, seed};
  m.from = from;
  m.to = to;
  m.bytes = bytes;
  return m;
}

WaveLimits devices(std::vector<uint64_t> level, uint64_t cap = 90) {
  WaveLimits l;
  l.cap.assign(level.size(), cap);
  l.size.assign(level.size(), 100);
  l.level = std::move(level);
  return l;
}

TEST(Waves, OneMoveInAndOneOutPerDevice) {
  const Waves w = make_waves({move_of(0, 1, 5, 1), move_of(0, 2, 5, 2), move_of(3, 1, 5, 3)},
                             devices({80, 10, 10, 70}));
  ASSERT_EQ(w.count, 2u);
  ASSERT_EQ(w.moves.size(), 3u);
  EXPECT_EQ(w.moves[0].pg.seed, 1u);
  EXPECT_EQ(w.moves[0].wave, 0u);
  EXPECT_EQ(w.moves[1].wave, 1u);
  EXPECT_EQ(w.moves[2].wave, 1u);
  WaveLimits more = devices({80, 10, 10, 70});
  more.backfills = 2;
  EXPECT_EQ(make_waves({move_of(0, 1, 5), move_of(0, 2, 5), move_of(3, 1, 5)}, more).count, 1u);
}

TEST(Waves, TheFullestGoesFirst) {
  const Waves w = make_waves({move_of(0, 2, 5, 1), move_of(1, 2, 5, 2)}, devices({80, 95, 10}));
  ASSERT_EQ(w.moves.size(), 2u);
  EXPECT_EQ(w.moves[0].pg.seed, 2u) << "osd.1 is the fuller one, and osd.2 takes one at a time";
}

TEST(Waves, RoomMustBeMadeAWaveBefore) {
  // osd.1 takes 20 only after its own 15 have gone.
  const Waves w = make_waves({move_of(0, 1, 20, 1), move_of(1, 2, 15, 2)}, devices({88, 80, 10}));
  ASSERT_EQ(w.moves.size(), 2u);
  EXPECT_EQ(w.moves[0].pg.seed, 2u);
  EXPECT_EQ(w.moves[1].wave, 1u);
  EXPECT_TRUE(w.stuck.empty());
}

TEST(Waves, MovesThatWaitForEachOtherAreStuck) {
  const Waves w = make_waves({move_of(0, 1, 20), move_of(1, 0, 20)}, devices({85, 85}));
  EXPECT_EQ(w.count, 0u);
  EXPECT_EQ(w.stuck.size(), 2u);
}

TEST(Waves, BytesOfAWaveAreLimited) {
  WaveLimits l = devices({80, 80, 10, 10});
  l.wave_bytes = 8;
  const Waves two = make_waves({move_of(0, 2, 5), move_of(1, 3, 5)}, l);
  EXPECT_EQ(two.count, 2u);
  const Waves large = make_waves({move_of(0, 2, 12)}, l);
  EXPECT_EQ(large.count, 1u) << "a move that is larger than a wave goes alone";
}

/// No device passes its cap at any moment, nothing is lost, no slot is used twice.
TEST(Waves, CapsHoldForRandomMoves) {
  Rng rng(7);
  uint64_t stuck = 0, scheduled = 0;
  for (int round = 0; round < 300; round++) {
    const size_t n = 3 + rng.below(6);
    WaveLimits l;
    for (size_t i = 0; i < n; i++) {
      l.level.push_back(rng.below(95));
      l.cap.push_back(90);
      l.size.push_back(100);
    }
    l.backfills = static_cast<uint32_t>(1 + rng.below(2));
    std::vector<Move> moves;
    std::vector<uint64_t> left = l.level;
    for (uint32_t i = 0; i < 20; i++) {
      const auto from = static_cast<OsdId>(rng.below(n)), to = static_cast<OsdId>(rng.below(n));
      const uint64_t bytes = 1 + rng.below(20);
      if (from == to || left[from] < bytes) continue;
      left[from] -= bytes;
      moves.push_back(move_of(from, to, bytes, i));
    }
    const Waves w = make_waves(moves, l);
    EXPECT_EQ(w.moves.size() + w.stuck.size(), moves.size());
    stuck += w.stuck.size();
    scheduled += w.moves.size();
    std::vector<uint64_t> level = l.level;
    size_t next = 0;
    for (uint32_t wave = 0; wave < w.count; wave++) {
      const size_t first = next;
      std::vector<uint32_t> in(n), out(n);
      for (; next < w.moves.size() && w.moves[next].wave == wave; next++) {
        const Move& m = w.moves[next];
        level[m.to] += m.bytes;
        EXPECT_LE(level[m.to], l.cap[m.to]);
        EXPECT_LE(++in[m.to], l.backfills);
        EXPECT_LE(++out[m.from], l.backfills);
      }
      EXPECT_GT(next, first) << "an empty wave";
      for (size_t i = first; i < next; i++) level[w.moves[i].from] -= w.moves[i].bytes;
    }
    EXPECT_EQ(next, w.moves.size()) << "waves ascend";
  }
  EXPECT_GT(stuck, 0u);
  EXPECT_GT(scheduled, 1000u);
}

}  // namespace
}  // namespace plimsoll::mover
