// SPDX-License-Identifier: LGPL-2.1-or-later
// Every fuzz target on nothing, on its seeds and on a fixed number of mutations of them, the same
// in every run. A crash prints nothing of ours but the abort; `mutation_test --gtest_filter=*name*`
// finds it again.
#include <gtest/gtest.h>

#include <algorithm>

#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

constexpr int kRounds = 3000;

/// One change of the kinds that break decoders: lengths and counts, cuts, repeats, exchanged parts.
void mutate(std::string& s, const std::string& other, Rng& rng) {
  const size_t at = s.empty() ? 0 : rng.below(s.size());
  const size_t length = s.empty() ? 0 : 1 + rng.below(std::min<size_t>(s.size() - at, 64));
  static constexpr uint32_t kInteresting[] = {0,      1,      0x7f,       0x80,       0xff,
                                              0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
  switch (rng.below(8)) {
    case 0:
      if (!s.empty()) s[at] = static_cast<char>(s[at] ^ (1 << rng.below(8)));
      break;
    case 1:
      if (!s.empty()) s[at] = static_cast<char>(rng.next());
      break;
    case 2: {
      const uint32_t v = kInteresting[rng.below(std::size(kInteresting))];
      if (s.size() >= 4) std::memcpy(&s[std::min(at, s.size() - 4)], &v, 4);
      break;
    }
    case 3:
      s.resize(at);
      break;
    case 4:
      s.erase(at, length);
      break;
    case 5:
      s.insert(at, s.substr(at, length));
      break;
    case 6:
      s.insert(at, std::string(rng.below(40), static_cast<char>(rng.next())));
      break;
    default:
      if (!other.empty()) s.replace(at, length, other.substr(rng.below(other.size()), length));
  }
}

class Mutation : public ::testing::TestWithParam<Target> {};

}  // namespace

TEST_P(Mutation, KeepsItsPromises) {
  const Target& target = GetParam();
  Rng rng(7);
  const std::vector<std::string> seeds = target.seeds(rng);
  ASSERT_FALSE(seeds.empty());
  target.run(Bytes());
  for (const std::string& seed : seeds) target.run(Bytes::copy(seed));
  for (int round = 0; round < kRounds; round++) {
    std::string input = seeds[rng.below(seeds.size())];
    const std::string& other = seeds[rng.below(seeds.size())];
    for (uint64_t n = 1 + rng.below(4); n; n--) mutate(input, other, rng);
    SCOPED_TRACE(round);
    target.run(Bytes::take(std::move(input)));
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, Mutation, ::testing::ValuesIn(all_targets()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace plimsoll::fuzz
