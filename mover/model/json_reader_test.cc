// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/json_reader.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace plimsoll::mover {

namespace {

/// Gives a byte at a time, so that every token meets the end of a buffer.
class Trickle : public ByteSource {
 public:
  explicit Trickle(std::string_view text) : text_(text) {}
  Result<size_t> read(std::span<uint8_t> into) override {
    if (text_.empty()) return size_t{0};
    into[0] = static_cast<uint8_t>(text_[0]);
    text_.remove_prefix(1);
    return size_t{1};
  }

 private:
  std::string_view text_;
};

struct Seen {
  int64_t n = 0;
  uint64_t big = 0;
  double ratio = 0;
  bool up = false;
  std::string name;
  std::vector<int32_t> osds;
  PgId pg;
};

template <class Source = MemorySource>
Result<Seen> read_seen(std::string_view text) {
  Source source(text);
  JsonReader in(source, "doc");
  Seen s;
  in.members("n", s.n, "big", s.big, "ratio", s.ratio, "up", s.up, "name", s.name, "inner",
             [&] { in.array([&] { in.members("osds", s.osds, "pg", s.pg); }); });
  TRY_VOID(in.finish());
  return s;
}

std::string error_of(std::string_view text) {
  auto r = read_seen(text);
  return r ? "" : r.error().text();
}

constexpr std::string_view kText =
    R"( {"n":-3, "unknown": {"a":[1,{"b":null}],"c":inf,"d":-nan,"e":"\"]}"},
        "big":18446744073709551615,"ratio":8.5e-1,"up":1,"name":"a\u00e9\n\ud83d\ude00",
        "inner":[{"osds":[1,2147483647],"pg":"1.2f"}] } )";

TEST(JsonReader, ReadsWhatIsKnownAndSkipsTheRest) {
  for (auto* read : {read_seen<MemorySource>, read_seen<Trickle>}) {
    auto s = read(kText);
    ASSERT_TRUE(s) << s.error().text();
    EXPECT_EQ(s->n, -3);
    EXPECT_EQ(s->big, UINT64_MAX);
    EXPECT_EQ(s->ratio, 0.85);
    EXPECT_TRUE(s->up);
    EXPECT_EQ(s->name, "a\u00e9\n\U0001F600");
    EXPECT_EQ(s->osds, (std::vector<int32_t>{1, 2147483647}));
    EXPECT_EQ(s->pg, (PgId{1, 0x2f}));
  }
}

TEST(JsonReader, EveryPrefixIsCutShort) {
  const std::string_view text = kText.substr(0, kText.rfind('}'));
  for (size_t n = 0; n <= text.size(); n++) {
    const std::string error = error_of(text.substr(0, n));
    EXPECT_NE(error.find("doc: "), std::string::npos) << n;
    EXPECT_NE(error.find("byte "), std::string::npos) << n;
    EXPECT_NE(error.find("cut short"), std::string::npos) << text.substr(0, n) << ": " << error;
  }
}

TEST(JsonReader, NamesPathAndByteOfWhatIsWrong) {
  EXPECT_EQ(error_of(R"({"inner":[{},{"osds":[1,inf]}]})"),
            "doc: inner[1].osds[1], byte 27: is inf, not a whole number");
  EXPECT_EQ(error_of(R"({"ratio":-nan})"), "doc: ratio, byte 13: is -nan, not a number");
  EXPECT_EQ(error_of(R"({"ratio":NaN})"), "doc: ratio, byte 12: is NaN, not a number");
  EXPECT_EQ(error_of(R"({"ratio":1e999})"), "doc: ratio, byte 14: is 1e999, which is out of range");
  EXPECT_EQ(error_of(R"({"n":"3"})"), "doc: n, byte 5: is a string, not a whole number");
  EXPECT_EQ(error_of(R"({"n":1.5})"), "doc: n, byte 8: is 1.5, not a whole number that fits");
  EXPECT_EQ(error_of(R"({"n":null})"), "doc: n, byte 9: is null, not a whole number");
  EXPECT_EQ(error_of(R"({"big":-1})"), "doc: big, byte 9: is -1, not a whole number that fits");
  EXPECT_EQ(error_of(R"({"up":2})"), "doc: up, byte 7: is 2, not in [0, 1]");
  EXPECT_EQ(error_of(R"({"name":7})"), "doc: name, byte 9: is 7, not a string");
  EXPECT_EQ(error_of(R"({"inner":{}})"), "doc: inner, byte 9: is an object, not an array");
  EXPECT_EQ(error_of(R"({"inner":[{"pg":"x"}]})"), "doc: inner[0].pg, byte 19: 'x' is no PG");
}

TEST(JsonReader, RefusesWhatIsNoJson) {
  for (std::string_view text :
       {"{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":[1 2]}", "{\"a\":[1,]}", "{,}", "{} {}", "[]",
        "{\"a\":bla}", "{\"a\":01x}", "{\"a\":\"\\q\"}", "{\"a\":\"\\u12g4\"}", "{\"a\":\"\n\"}",
        "{\"a\":]}", "{\"a\":--1}", "{a:1}"})
    EXPECT_FALSE(read_seen(text)) << text;
}

TEST(JsonReader, HasBounds) {
  const std::string deep = "{\"a\":" + std::string(JsonReader::kMaxDepth, '[');
  EXPECT_NE(error_of(deep).find("nested"), std::string::npos);
  const std::string wide = "{\"name\":\"" + std::string(JsonReader::kMaxString + 1, 'x') + "\"}";
  EXPECT_NE(error_of(wide).find("too long"), std::string::npos);
  const std::string fits = "{\"name\":\"" + std::string(JsonReader::kMaxString, 'x') + "\"}";
  EXPECT_TRUE(read_seen(fits));
  const std::string word = "{\"a\":" + std::string(1000, '1') + "}";
  EXPECT_FALSE(read_seen(word));
}

TEST(JsonReader, PassesOnTheSourcesError) {
  class Broken : public ByteSource {
    Result<size_t> read(std::span<uint8_t>) override { return fail(EIO, "disk"); }
  } source;
  JsonReader in(source, "doc");
  in.skip();
  auto done = in.finish();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), EIO);
}

}  // namespace

}  // namespace plimsoll::mover
