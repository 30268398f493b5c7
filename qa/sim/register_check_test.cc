// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/register_check.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"

namespace plimsoll::sim {

namespace {

using Kind = RegisterOp::Kind;

constexpr uint64_t kPieceSize = 100;

RegisterOp make(Kind kind, int invoked, int returned, char32_t piece = 0) {
  RegisterOp op;
  op.kind = kind;
  op.piece = piece;
  op.size = piece ? kPieceSize : 0;
  op.invoked = Duration(invoked);
  op.returned = returned < 0 ? Duration::max() : Duration(returned);
  return op;
}
RegisterOp write(char32_t piece, int invoked, int returned) {
  return make(Kind::kWrite, invoked, returned, piece);
}
RegisterOp append(char32_t piece, int invoked, int returned) {
  return make(Kind::kAppend, invoked, returned, piece);
}
RegisterOp read(Pieces seen, int invoked, int returned) {
  RegisterOp op = make(Kind::kRead, invoked, returned);
  op.seen = std::move(seen);
  return op;
}
RegisterOp erase(bool existed, int invoked, int returned) {
  RegisterOp op = make(Kind::kDelete, invoked, returned);
  op.existed = existed;
  return op;
}

RegisterOp create(bool existed, int invoked, int returned) {
  RegisterOp op = make(Kind::kCreate, invoked, returned);
  op.existed = existed;
  return op;
}
RegisterOp stat(std::optional<uint64_t> size, int invoked, int returned) {
  RegisterOp op = make(Kind::kStat, invoked, returned);
  op.existed = size.has_value();
  op.size = size.value_or(0);
  return op;
}

bool fine(std::vector<RegisterOp> ops) { return !check_register(std::move(ops)); }

}  // namespace

TEST(RegisterCheck, SequentialHistories) {
  EXPECT_TRUE(fine({}));
  EXPECT_TRUE(fine({read({}, 0, 1), write(1, 2, 3), read(U"\1", 4, 5)}));
  EXPECT_TRUE(fine({write(1, 0, 1), append(2, 2, 3), read(U"\1\2", 4, 5), erase(true, 6, 7),
                    erase(false, 8, 9), read({}, 10, 11)}));
  EXPECT_FALSE(fine({write(1, 0, 1), read({}, 2, 3)}));
  EXPECT_FALSE(fine({write(1, 0, 1), write(2, 2, 3), read(U"\1", 4, 5)}));
  EXPECT_FALSE(fine({write(1, 0, 1), append(2, 2, 3), read(U"\1\2\2", 4, 5)}));
  EXPECT_FALSE(fine({write(1, 0, 1), erase(false, 2, 3)}));
}

TEST(RegisterCheck, ExclusiveCreatesAndStats) {
  EXPECT_TRUE(fine({stat({}, 0, 1), create(false, 2, 3), stat(0, 4, 5), create(true, 6, 7),
                    append(1, 8, 9), append(2, 10, 11), stat(2 * kPieceSize, 12, 13)}));
  EXPECT_FALSE(fine({create(false, 0, 1), create(false, 2, 3)}));
  EXPECT_FALSE(fine({create(true, 0, 1)}));
  EXPECT_FALSE(fine({write(1, 0, 1), stat({}, 2, 3)}));
  EXPECT_FALSE(fine({write(1, 0, 1), append(2, 2, 3), stat(kPieceSize, 4, 5)}));
  EXPECT_FALSE(fine({append(1, 0, -1), stat(2 * kPieceSize, 1, 2)})) << "at most once";
}

TEST(RegisterCheck, ConcurrentOnesMayGoEitherWay) {
  EXPECT_TRUE(fine({write(1, 0, 10), write(2, 0, 10), read(U"\1", 11, 12)}));
  EXPECT_TRUE(fine({write(1, 0, 10), write(2, 0, 10), read(U"\2", 11, 12)}));
  EXPECT_TRUE(fine({write(1, 0, 10), read({}, 1, 2), read(U"\1", 3, 4)}));
  // Once seen it stays seen.
  EXPECT_FALSE(fine({write(1, 0, 10), read(U"\1", 1, 2), read({}, 3, 4)}));
}

TEST(RegisterCheck, UnansweredMayHappenLateOrNever) {
  EXPECT_TRUE(fine({write(1, 0, 1), write(2, 2, -1), read(U"\1", 3, 4), read(U"\2", 5, 6)}));
  EXPECT_TRUE(fine({write(1, 0, 1), write(2, 2, -1), read(U"\1", 3, 4), read(U"\1", 5, 6)}));
  EXPECT_FALSE(fine({write(1, 0, 1), write(2, 2, -1), read(U"\2", 3, 4), read(U"\1", 5, 6)}));
}

TEST(RegisterCheck, AClientsChangesKeepTheirOrder) {
  auto by = [](RegisterOp op, uint32_t client) {
    op.client = client;
    return op;
  };
  const RegisterOp first = append(1, 0, 10), second = append(2, 1, 9);
  const RegisterOp swapped = read(U"\2\1", 11, 12);
  EXPECT_TRUE(fine({first, second, swapped}));
  EXPECT_TRUE(fine({by(first, 1), by(second, 2), swapped}));
  EXPECT_FALSE(fine({by(first, 1), by(second, 1), swapped}));
  EXPECT_TRUE(fine({by(first, 1), by(second, 1), read(U"\1\2", 11, 12)}));
  EXPECT_TRUE(fine({by(append(1, 0, -1), 1), by(second, 1), swapped})) << "never answered";
}

/// Histories made by executing operations at a point inside their interval are explained; the same
/// with one read's answer changed are not.
TEST(RegisterCheck, RandomHistories) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Rng rng(seed);
    std::vector<RegisterOp> ops;
    Pieces state;
    size_t last_read = 0;
    for (int i = 0; i < 200; i++) {
      const int point = 10 * i;
      RegisterOp op = make(static_cast<Kind>(rng.below(4)), point - static_cast<int>(rng.below(15)),
                           point + static_cast<int>(rng.below(15)), static_cast<char32_t>(i + 1));
      if (op.kind == Kind::kWrite) state = std::u32string(1, op.piece);
      if (op.kind == Kind::kAppend) state = state.value_or(U"") + op.piece;
      if (op.kind == Kind::kDelete) op.existed = state.has_value();
      if (op.kind == Kind::kDelete) state.reset();
      if (op.kind == Kind::kRead) op.seen = state;
      if (op.kind == Kind::kRead) last_read = ops.size();
      ops.push_back(op);
    }
    EXPECT_TRUE(fine(ops)) << "seed " << seed;
    ops[last_read].seen = U"\xffff";
    EXPECT_FALSE(fine(ops)) << "seed " << seed;
  }
}

}  // namespace plimsoll::sim
