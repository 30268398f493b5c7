// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/bytes.h"

#include <gtest/gtest.h>

#include "common/base/result.h"

namespace plimsoll {

TEST(Bytes, SlicesShareMemoryAndAreCut) {
  Bytes all = Bytes::copy("hello world");
  Bytes part = all.slice(6, 100);
  EXPECT_EQ(part.view(), "world");
  EXPECT_EQ(part.data(), all.data() + 6);
  EXPECT_TRUE(all.slice(50).empty());
}

TEST(ByteReader, FailsOnceAndStaysFailed) {
  ByteWriter w;
  w.u16(7);
  w.blob("abc");
  ByteReader r(w.take());
  EXPECT_EQ(r.u16(), 7);
  EXPECT_EQ(r.str(), "abc");
  EXPECT_TRUE(r.ok());
  EXPECT_EQ(r.u32(), 0u);
  EXPECT_FALSE(r.ok());
  EXPECT_STREQ(r.error(), "truncated");
}

TEST(ByteReader, RefusesCountsThatCannotFit) {
  ByteWriter w;
  w.u32(0xffffffff);
  ByteReader r(w.take());
  EXPECT_EQ(r.count(8), 0u);
  EXPECT_FALSE(r.ok());
}

TEST(ByteReader, EnteredPartIsABoundAndIsSkipped) {
  ByteWriter w;
  w.u32(1);
  w.u32(2);
  w.u8(9);
  ByteReader r(w.take());
  size_t outer = r.enter(8);
  EXPECT_EQ(r.u32(), 1u);
  r.leave(outer);
  EXPECT_EQ(r.u8(), 9);
  EXPECT_TRUE(r.ok());
}

TEST(Result, TryPassesErrorsOn) {
  auto f = [](bool good) -> Result<int> {
    if (good) return 3;
    return fail(ENOENT, "no such thing");
  };
  auto g = [&](bool good) -> Result<int> {
    TRY(v, f(good));
    return v + 1;
  };
  EXPECT_EQ(*g(true), 4);
  EXPECT_EQ(g(false).error().to_string(), "ENOENT: no such thing");
}

}  // namespace plimsoll
