// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/format.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <limits>

namespace plimsoll::command {

namespace json = boost::json;

TEST(Format, CompactAndPretty) {
  const json::value v =
      json::parse(R"({"a":[1,{"b":"x\"\n"}],"empty":[],"none":{},"t":true,"n":null})");
  EXPECT_EQ(print(v, Format::kJson),
            R"({"a":[1,{"b":"x\"\n"}],"empty":[],"none":{},"t":true,"n":null})");
  EXPECT_EQ(print(json::parse(R"({"a":[1,2],"b":{},"c":[]})"), Format::kJsonPretty),
            "{\n    \"a\": [\n        1,\n        2\n    ],\n    \"b\": {},\n    \"c\": []\n}\n");
  EXPECT_EQ(print(json::object(), Format::kJsonPretty), "{}\n");
}

TEST(Format, Floats) {
  EXPECT_EQ(print(json::value(0.00070441441048153938), Format::kJson), "0.00070441441048153938");
  EXPECT_EQ(print(json::value(static_cast<double>(0.95f)), Format::kJson), "0.94999998807907104");
  EXPECT_EQ(print(json::value(1.0), Format::kJson), "1");
  EXPECT_EQ(print(json::value(0.05), Format::kJson, Floats::kNineDecimals), "0.050000000");
  EXPECT_EQ(print(json::value(std::numeric_limits<double>::infinity()), Format::kJson), "0");
}

TEST(Format, ControlCharactersAreEscaped) {
  EXPECT_EQ(print(json::value(std::string("\x01\x7f\xc3\xa9", 4)), Format::kJson),
            "\"\\u0001\\u007f\xc3\xa9\"");
}

TEST(Format, Names) {
  EXPECT_EQ(*parse_format("json-pretty"), Format::kJsonPretty);
  EXPECT_EQ(*parse_format(""), Format::kPlain);
  EXPECT_EQ(parse_format("xml").error().code(), EINVAL);
  EXPECT_EQ(errno_text(-22), "(22) Invalid argument");
  EXPECT_EQ(general(0.95), "0.95");
  EXPECT_EQ(fixed(7.094, 2), "7.09");
}

}  // namespace plimsoll::command
