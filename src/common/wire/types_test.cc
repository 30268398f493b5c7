// SPDX-License-Identifier: LGPL-2.1-or-later
// Encodings against bytes seen from stock clients (wire.md 14), and totality on every truncation.
#include "common/wire/types.h"

#include <gtest/gtest.h>

namespace plimsoll {

namespace {

Bytes unhex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return Bytes::take(std::move(out));
}

template <class T>
void expect_golden(const T& value, std::string_view hex) {
  EXPECT_EQ(wire::to_bytes(value), unhex(hex));
  auto back = wire::from_bytes<T>(unhex(hex), "value");
  ASSERT_TRUE(back);
  EXPECT_TRUE(*back == value);
  Bytes whole = unhex(hex);
  for (size_t n = 0; n < whole.size(); n++)
    EXPECT_FALSE(wire::from_bytes<T>(whole.slice(0, n), "value"));
}

struct Newer {
  static constexpr wire::Envelope kEnvelope{2, 1};
  uint32_t a = 0;
  uint32_t b = 7;
  template <class F> void fields(F& f) {
    f("a", a);
    f("b", b, 2);
  }
};
struct Older {
  static constexpr wire::Envelope kEnvelope{1, 1};
  uint32_t a = 0;
  template <class F> void fields(F& f) { f("a", a); }
};

}  // namespace

TEST(Types, Golden) {
  EntityAddr addr = *EntityAddr::parse("v2:127.0.0.1:58495/0");
  expect_golden(addr,
                "01"
                "01011c000000"
                "02000000"
                "00000000"
                "10000000"
                "0200"
                "e47f"
                "7f000001"
                "0000000000000000");
  expect_golden(SpgId{{1, 6}, -1}, "01011200000001010000000000000006000000ffffffffff");
  ObjectLocator loc;
  loc.pool = 1;
  expect_golden(loc, "06031c0000000100000000000000ffffffff0000000000000000ffffffffffffffff");
  expect_golden(HObject{},
                "040321000000000000000000000000000000000000000000000000000000000000000000000080");
  expect_golden(HObject::max(),
                "040321000000000000000000000000000000000000000000000001000000000000000000000080");
  expect_golden(ReqId{}, "020215000000000000000000000000000000000000000000000000");
}

TEST(Types, Texts) {
  EXPECT_EQ(PgId::parse("1.2f")->to_string(), "1.2f");
  EXPECT_FALSE(PgId::parse("1.zz"));
  EXPECT_FALSE(PgId::parse("1"));
  EXPECT_EQ(EntityAddr::parse("127.0.0.1:6789")->to_string(), "v2:127.0.0.1:6789/0");
  EXPECT_EQ(EntityAddr::parse("[::1]:6789/5")->to_string(), "v2:[::1]:6789/5");
  EXPECT_FALSE(EntityAddr::parse("localhost:1"));
  EXPECT_EQ(Uuid::parse("00010203-0405-0607-0809-0a0b0c0d0e0f")->to_string(),
            "00010203-0405-0607-0809-0a0b0c0d0e0f");
  EXPECT_FALSE(Uuid::parse("00010203-0405-0607-0809-0a0b0c0d0e0"));
  EXPECT_EQ((Utime{0, 5000}.to_string()), "1970-01-01T00:00:00.000005+0000");
}

TEST(Codec, EnvelopesAgeBothWays) {
  auto old_from_new = wire::from_bytes<Older>(wire::to_bytes(Newer{3, 4}), "older");
  ASSERT_TRUE(old_from_new);
  EXPECT_EQ(old_from_new->a, 3u);
  auto new_from_old = wire::from_bytes<Newer>(wire::to_bytes(Older{5}), "newer");
  ASSERT_TRUE(new_from_old);
  EXPECT_EQ(new_from_old->b, 7u);
  std::string too_new = wire::to_bytes(Newer{}).to_string();
  too_new[1] = 9;
  auto refused = wire::from_bytes<Newer>(Bytes::take(too_new), "newer");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().text(), "malformed newer: encoding is too new");
}

TEST(HObject, ListsInBitReversedHashOrder) {
  HObject a, b;
  a.pool = b.pool = 1;
  a.hash = 0x00000001;  // reversed: 80000000
  b.hash = 0x00000002;  // reversed: 40000000
  EXPECT_TRUE(b < a);
  EXPECT_TRUE(HObject{} < b);
  EXPECT_TRUE(a < HObject::max());
}

}  // namespace plimsoll
