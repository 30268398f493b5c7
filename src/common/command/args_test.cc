// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/args.h"

#include <gtest/gtest.h>

#include "common/base/rng.h"

namespace plimsoll::command {

namespace {

/// The error of a request against a signature; "" where it fits.
std::string check(const char* signature, std::string_view request) {
  const Spec spec = parse_spec(signature, "");
  const auto parsed = Request::parse(request);
  if (!parsed) return parsed.error().text();
  const auto valid = validate(spec, parsed->json);
  return valid ? "" : valid.error().text();
}

std::string parse_error(std::string_view request) {
  const auto r = Request::parse(request);
  return r ? "" : r.error().text();
}

}  // namespace

TEST(Request, IsParsedAndBounded) {
  const auto r = Request::parse(R"({"prefix":" osd  tree ","format":"json","x":1})");
  ASSERT_TRUE(r);
  EXPECT_EQ(r->prefix, "osd tree");
  EXPECT_EQ(r->format, Format::kJson);
  EXPECT_EQ(parse_error("banana"), "unparseable JSON banana");
  EXPECT_EQ(parse_error("[1]"), "not JSON object [1]");
  EXPECT_EQ(parse_error("{}"), "command prefix not found");
  EXPECT_EQ(parse_error(R"({"prefix":3})"), "command prefix not found");
  EXPECT_EQ(parse_error(R"({"prefix":"x","format":"xml"})"),
            "format 'xml' is not supported: want json, json-pretty or plain");
  EXPECT_EQ(parse_error(R"({"prefix":"x","a":[[[[[1]]]]]})").substr(0, 16), "unparseable JSON");
  EXPECT_EQ(Request::parse(std::string(2 << 20, ' ')).error().code(), E2BIG);
  const std::vector<std::string> pieces{R"({"prefix":)", R"("status"})"};
  EXPECT_EQ(Request::parse(pieces)->prefix, "status");
}

TEST(Validate, SaysWhatIsWrong) {
  constexpr const char* kSet =
      "osd pool set name=pool,type=CephPoolname name=var,type=CephChoices,strings=size|min_size "
      "name=val";
  EXPECT_EQ(check(kSet, R"({"prefix":"p","pool":"a","var":"size","val":"3","extra":true})"), "");
  EXPECT_EQ(check(kSet, R"({"prefix":"p","var":"size","val":"3"})"),
            "missing required parameter: 'pool'");
  EXPECT_EQ(check(kSet, R"({"prefix":"p","pool":"a","var":"nosuch","val":"3"})"),
            "'nosuch' not belong to 'size|min_size'");
  EXPECT_EQ(check(kSet, R"({"prefix":"p","pool":"a","var":"size","val":3})"),
            "bad or missing field 'val'");
  EXPECT_EQ(check(kSet, R"({"prefix":"p","pool":["a"],"var":"size","val":"3"})"),
            "bad or missing field 'pool'");
}

TEST(Validate, NumbersAndRanges) {
  constexpr const char* kReweight =
      "r name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0";
  EXPECT_EQ(check(kReweight, R"({"prefix":"r","id":0,"weight":1})"), "");
  EXPECT_EQ(check(kReweight, R"({"prefix":"r","id":"osd.0","weight":"0.5"})"), "");
  EXPECT_EQ(check(kReweight, R"({"prefix":"r","id":0,"weight":2.5})"),
            "'2.5' out of range: 0.0|1.0");
  EXPECT_EQ(check(kReweight, R"({"prefix":"r","id":-1,"weight":0})"), "invalid osd id -1");
  EXPECT_EQ(check(kReweight, R"({"prefix":"r","id":"banana","weight":0})"),
            "Expected option value to be integer, got 'banana'");
  constexpr const char* kInt = "i name=n,type=CephInt,range=0";
  EXPECT_EQ(check(kInt, R"({"prefix":"i","n":-1})"), "'-1' out of range: 0");
  EXPECT_EQ(check(kInt, R"({"prefix":"i","n":18446744073709551615})"),
            "'18446744073709551615' out of range");
  EXPECT_EQ(check(kInt, R"({"prefix":"i","n":1.5})"), "bad or missing field 'n'");
}

TEST(Validate, NamesPgsAndFlags) {
  constexpr const char* kBucket = "b name=name,type=CephString,goodchars=[A-Za-z0-9-_.]";
  EXPECT_EQ(check(kBucket, R"({"prefix":"b","name":"rack-1_a.b"})"), "");
  EXPECT_NE(check(kBucket, R"({"prefix":"b","name":"rack 1"})"), "");
  EXPECT_EQ(check("p name=pgid,type=CephPgid", R"({"prefix":"p","pgid":"banana"})"),
            "invalid pgid 'banana'");
  EXPECT_EQ(check("u name=u,type=CephUUID", R"({"prefix":"u","u":"x"})"), "invalid uuid 'x'");
  EXPECT_EQ(check("f name=f,type=CephBool,req=false", R"({"prefix":"f","f":"--f"})"), "");
  EXPECT_EQ(check("f name=f,type=CephBool,req=false", R"({"prefix":"f","f":7})"),
            "bad or missing field 'f'");
  EXPECT_EQ(check("l name=l,type=CephInt,n=N", R"({"prefix":"l","l":[]})"),
            "missing required parameter: 'l'");
  EXPECT_EQ(check("l name=l,type=CephInt,n=N", R"({"prefix":"l","l":[1,{}]})"),
            "bad or missing field 'l'");
}

TEST(Args, TypedAccess) {
  const Spec spec = parse_spec(
      "x name=s name=i,type=CephInt name=r,type=CephFloat name=o,type=CephOsdName "
      "name=p,type=CephPgid "
      "name=l,type=CephString,n=N name=n,type=CephInt,n=N,req=false name=f,type=CephBool,req=false "
      "name=q,type=CephString,req=false",
      "");
  auto request = Request::parse(
      R"({"prefix":"x","s":"t","i":"7","r":2,"o":"osd.3","p":"1.2f","l":["a","b"],"n":4,"f":true})");
  ASSERT_TRUE(request);
  ASSERT_TRUE(validate(spec, request->json));
  const Args a(spec, std::move(*request));
  EXPECT_EQ(a.str("s"), "t");
  EXPECT_EQ(a.integer("i"), 7);
  EXPECT_EQ(a.real("r"), 2.0);
  EXPECT_EQ(a.osd("o"), 3);
  EXPECT_EQ(a.pgid("p"), (PgId{1, 0x2f}));
  EXPECT_EQ(a.strings("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(a.ints("n"), std::vector<int64_t>{4});
  EXPECT_TRUE(a.flag("f"));
  EXPECT_FALSE(a.has("q"));
  EXPECT_EQ(a.str_or("q", "d"), "d");
  EXPECT_FALSE(a.opt_str("q"));
}

TEST(Validate, DamagedRequestsNeverReachAHandler) {
  const Spec spec = parse_spec(
      "x name=i,type=CephInt,range=0|9 name=o,type=CephOsdName name=l,n=N "
      "name=f,type=CephBool,req=false",
      "");
  const std::string good = R"({"prefix":"x","i":7,"o":"osd.3","l":["a","b"],"f":true})";
  Rng rng(11);
  int served = 0;
  for (int round = 0; round < 50000; round++) {
    std::string text = good;
    for (uint64_t edits = rng.below(4); edits > 0; edits--)
      text[rng.below(text.size())] = "{}[]\",:-0eifol.\xff\0"[rng.below(18)];
    auto request = Request::parse(text);
    if (!request || !validate(spec, request->json)) continue;
    const Args a(spec, std::move(*request));
    EXPECT_LE(a.integer("i"), 9);
    EXPECT_GE(a.osd("o"), kNoOsd);
    EXPECT_FALSE(a.strings("l").empty());
    static_cast<void>(a.flag("f"));
    served++;
  }
  EXPECT_GT(served, 1000);
}

TEST(Words, LongestPrefixWins) {
  const Spec get = parse_spec("config get name=var,type=CephString", "");
  const Spec diff = parse_spec("config diff", "");
  const Spec diff_get = parse_spec("config diff get name=var,type=CephString", "");
  const Spec set =
      parse_spec("config set name=var,type=CephString name=val,type=CephString,n=N", "");
  const std::vector<const Spec*> specs{&get, &diff, &diff_get, &set};
  EXPECT_EQ(request_from_words(specs, {"config", "diff"})->prefix, "config diff");
  const auto one = request_from_words(specs, {"config", "diff", "get", "x"});
  EXPECT_EQ(one->prefix, "config diff get");
  EXPECT_EQ(one->json.at("var").as_string(), "x");
  EXPECT_EQ(
      request_from_words(specs, {"config", "set", "x", "1", "2"})->json.at("val").as_array().size(),
      2u);
  EXPECT_EQ(request_from_words(specs, {"config", "get", "x", "y"}).error().text(),
            "unused argument 'y'");
  EXPECT_EQ(request_from_words(specs, {"nosuch"}).error().text(), "command not known");
}

}  // namespace plimsoll::command
