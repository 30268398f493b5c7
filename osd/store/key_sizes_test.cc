// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/key_sizes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

namespace plimsoll::osd {
namespace {

std::string log_key(int n) { return fmt::format("log.{:08}", n); }

TEST(KeySizes, OldSizeOfAKey) {
  KeySizes sizes;
  EXPECT_EQ(sizes.set("info", 10), std::nullopt);
  EXPECT_EQ(sizes.set("info", 12), 10u);
  EXPECT_EQ(sizes.set("info", 7), 12u);
  EXPECT_EQ(sizes.total(), 11u);
  EXPECT_EQ(sizes.erase("info"), 7u);
  EXPECT_EQ(sizes.erase("info"), std::nullopt);
  EXPECT_EQ(sizes.total(), 0u);
  EXPECT_EQ(sizes.set("info", 3), std::nullopt);
}

TEST(KeySizes, RangesLeaveTheirEndOut) {
  KeySizes sizes;
  for (int i = 0; i < 10; i++) sizes.set(log_key(i), 1);
  const std::vector<std::string> want{log_key(3), log_key(4)};
  EXPECT_EQ(sizes.between(log_key(3), log_key(5)), want);
  EXPECT_TRUE(sizes.between(log_key(5), log_key(5)).empty());
  EXPECT_TRUE(sizes.between(log_key(5), log_key(3)).empty());
}

// Whatever is remembered of places, the answers are those of a plain map.
TEST(KeySizes, AgreesWithAMap) {
  std::mt19937 random(1);
  KeySizes sizes;
  std::map<std::string, uint64_t> plain;
  int head = 0, tail = 0;
  auto set = [&](const std::string& key) {
    const uint64_t bytes = random() % 100;
    const auto it = plain.find(key);
    const auto want = it == plain.end() ? std::nullopt : std::optional(it->second);
    ASSERT_EQ(sizes.set(key, bytes), want) << key;
    plain[key] = bytes;
  };
  auto erase = [&](const std::string& key) {
    const auto it = plain.find(key);
    const auto want = it == plain.end() ? std::nullopt : std::optional(it->second);
    ASSERT_EQ(sizes.erase(key), want) << key;
    plain.erase(key);
  };
  for (int i = 0; i < 20000; i++) {
    switch (random() % 8) {
      case 0: set(fmt::format("missing.{}", random() % 20)); break;
      case 1: erase(fmt::format("missing.{}", random() % 20)); break;
      case 2: erase(random() % 2 ? "info" : log_key(head - 1)); break;
      case 3:
        for (const auto& key : sizes.between(log_key(tail), log_key(head - 5))) erase(key);
        tail = std::max(tail, head - 5);
        break;
      default:
        set(log_key(head++));
        set("info");
    }
    uint64_t total = 0;
    for (const auto& [key, bytes] : plain) total += key.size() + bytes;
    ASSERT_EQ(sizes.total(), total);
  }
}

}  // namespace
}  // namespace plimsoll::osd
