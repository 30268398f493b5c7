// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/mon_client.h"

#include <gtest/gtest.h>

namespace plimsoll::rados {

namespace {

std::string parsed(std::string_view text) {
  auto addrs = parse_mon_host(text);
  if (!addrs) return addrs.error().to_string();
  std::string out;
  for (const auto& a : *addrs) out += (out.empty() ? "" : " ") + a.to_string();
  return out;
}

}  // namespace

TEST(MonHost, Forms) {
  EXPECT_EQ(parsed("127.0.0.1"), "v2:127.0.0.1:3300/0");
  EXPECT_EQ(parsed("127.0.0.1:40000"), "v2:127.0.0.1:40000/0");
  EXPECT_EQ(parsed("v2:127.0.0.1:40000/0"), "v2:127.0.0.1:40000/0");
  EXPECT_EQ(parsed("[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0]"), "v2:10.0.0.1:3300/0");
  EXPECT_EQ(parsed("[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0],[v2:10.0.0.2:3300/0]"),
            "v2:10.0.0.1:3300/0 v2:10.0.0.2:3300/0");
  EXPECT_EQ(parsed("10.0.0.1, 10.0.0.2 10.0.0.3:1"),
            "v2:10.0.0.1:3300/0 v2:10.0.0.2:3300/0 v2:10.0.0.3:1/0");
  EXPECT_EQ(parsed("[v2:[::1]:3300/0,v1:[::1]:6789/0]"), "v2:[::1]:3300/0");
  EXPECT_EQ(parsed("[::1]:3301"), "v2:[::1]:3301/0");
}

TEST(MonHost, ErrorsNameTheInput) {
  EXPECT_EQ(parsed(""), "EINVAL: mon_host '' names no msgr2 address");
  EXPECT_EQ(parsed("v1:10.0.0.1:6789"),
            "EINVAL: mon_host 'v1:10.0.0.1:6789' names no msgr2 address");
  EXPECT_EQ(parsed("nosuch:1"), "EINVAL: 'nosuch:1' is not an address: bad IPv4 address");
}

}  // namespace plimsoll::rados
