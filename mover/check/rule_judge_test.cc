// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/rule_judge.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/map/test_maps.h"

namespace plimsoll::mover {

namespace {

using map::CrushOp;
using map::CrushStep;

constexpr int kHost = 1, kRack = 3;

/// Osd.0 to osd.23: two a host, three hosts a rack, four racks.
map::OSDMap racks(uint8_t type, uint8_t size, std::vector<CrushStep> steps) {
  map::OSDMap m = map::make_cluster({.hosts = 12, .osds_per_host = 2, .hosts_per_rack = 3});
  map::CrushMap crush = *m.crush;
  const auto root = *crush.find_item("default");
  for (CrushStep& step : steps)
    if (step.op == CrushOp::kTake && step.arg1 == 0) step.arg1 = root;
  crush.rules.push_back(
      map::CrushRule{.ruleset = 7, .type = type, .min_size = 1, .max_size = 10, .steps = steps});
  m.crush = map::SharedCrush(std::move(crush));
  map::add_pool(m, "judged", type, size, 7, 64, 64);
  return m;
}

const CrushStep kTakeAll{CrushOp::kTake, 0, 0}, kEmit{CrushOp::kEmit, 0, 0};

std::string judged(const map::OSDMap& m, std::vector<OsdId> up) {
  return RuleJudge(*m.crush, m.pools.at(2)).violation(up).value_or("");
}

TEST(RuleJudge, OneMemberPerFailureDomain) {
  const auto m =
      racks(map::kPoolReplicated, 3, {kTakeAll, {CrushOp::kChooseleafFirstn, 0, kRack}, kEmit});
  EXPECT_EQ(judged(m, {0, 6, 12}), "");
  EXPECT_EQ(judged(m, {0, 6, 8}), "osd.6 and osd.8 are both in rack rack1");
  EXPECT_EQ(judged(m, {0, 6, 6}), "osd.6 is in it twice");
  EXPECT_EQ(judged(m, {0, 6}), "2 members instead of 3");
  EXPECT_EQ(judged(m, {0, 6, kOsdNone}), "nobody at position 2");
  EXPECT_EQ(judged(m, {0, 6, 99}), "osd.99 is not below default");
}

TEST(RuleJudge, NestedChooseHoldsBranchesTogether) {
  const std::vector<CrushStep> steps{
      kTakeAll, {CrushOp::kChooseIndep, 2, kRack}, {CrushOp::kChooseleafIndep, 2, kHost}, kEmit};
  const auto m = racks(map::kPoolErasure, 4, steps);
  EXPECT_EQ(judged(m, {0, 2, 6, 8}), "");
  EXPECT_EQ(judged(m, {0, 1, 6, 8}), "osd.0 and osd.1 are both in host host0");
  EXPECT_EQ(judged(m, {0, 2, 6, 12}), "osd.6 and osd.12 are in different racks, rack1 and rack2");
  EXPECT_EQ(judged(m, {0, 6, 2, 8}), "osd.0 and osd.6 are in different racks, rack0 and rack1");
  EXPECT_EQ(judged(m, {0, 2, 4, 8}), "osd.0 and osd.4 are both in rack rack0");
}

TEST(RuleJudge, MembersOfReplicatedPgsStandInAnyOrder) {
  const std::vector<CrushStep> steps{
      kTakeAll, {CrushOp::kChooseFirstn, 2, kRack}, {CrushOp::kChooseleafFirstn, 2, kHost}, kEmit};
  const auto m = racks(map::kPoolReplicated, 3, steps);
  EXPECT_EQ(judged(m, {0, 2, 6}), "");
  EXPECT_EQ(judged(m, {6, 0, 2}), "");
  EXPECT_EQ(judged(m, {0, 6, 2}), "");
  EXPECT_NE(judged(m, {0, 6, 12}), "");
  EXPECT_NE(judged(m, {0, 2, 4}), "");
  EXPECT_NE(judged(m, {0, 1, 6}), "");
}

TEST(RuleJudge, EachTakeHasItsOwnPositions) {
  const auto crush =
      *map::make_cluster({.hosts = 12, .osds_per_host = 2, .hosts_per_rack = 3}).crush;
  const std::vector<CrushStep> steps{{CrushOp::kTake, *crush.find_item("rack0"), 0},
                                     {CrushOp::kChooseleafFirstn, 1, kHost},
                                     kEmit,
                                     {CrushOp::kTake, *crush.find_item("rack1"), 0},
                                     {CrushOp::kChooseleafFirstn, -1, kHost},
                                     kEmit};
  const auto m = racks(map::kPoolReplicated, 3, steps);
  EXPECT_EQ(judged(m, {0, 6, 8}), "");
  EXPECT_EQ(judged(m, {6, 8, 0}), "");
  EXPECT_EQ(judged(m, {0, 6, 12}), "osd.12 is not below rack1");
  EXPECT_NE(judged(m, {0, 2, 6}), "");
  EXPECT_NE(judged(m, {0, 6, 7}), "");
}

TEST(RuleJudge, SaysWhatItDoesNotUnderstand) {
  auto why = [](std::vector<CrushStep> steps) {
    const auto m = racks(map::kPoolReplicated, 3, std::move(steps));
    return RuleJudge(*m.crush, m.pools.at(2)).not_understood();
  };
  EXPECT_EQ(why({kTakeAll, {CrushOp::kChooseFirstn, 0, kHost}, kEmit}),
            "a rule that ends above devices");
  EXPECT_EQ(why({kTakeAll, {CrushOp::kChooseleafFirstn, 2, kHost}, kEmit}),
            "a rule for 2 members, of 3");
  EXPECT_EQ(why({{CrushOp::kTake, 5, 0}, {CrushOp::kChooseFirstn, 0, 0}, kEmit}),
            "a rule that takes no bucket");
  EXPECT_EQ(why({kTakeAll, {static_cast<CrushOp>(77), 0, 0}, kEmit}), "a step of kind 77");
  EXPECT_EQ(why({kTakeAll, {CrushOp::kChooseFirstn, 0, 0}, kEmit}), "");
}

/// CRUSH itself is the oracle of what follows a rule.
TEST(RuleJudge, AcceptsWhatCrushChooses) {
  const std::vector<std::pair<uint8_t, std::vector<CrushStep>>> rules{
      {3, {kTakeAll, {CrushOp::kChooseleafFirstn, 0, kRack}, kEmit}},
      {6, {kTakeAll, {CrushOp::kChooseleafIndep, 0, kHost}, kEmit}},
      {4, {kTakeAll, {CrushOp::kChooseFirstn, 0, 0}, kEmit}},
      {6,
       {kTakeAll, {CrushOp::kChooseIndep, 3, kRack}, {CrushOp::kChooseleafIndep, 2, kHost}, kEmit}},
      {8,
       {kTakeAll,
        {CrushOp::kChooseIndep, 2, kRack},
        {CrushOp::kChooseIndep, 2, kHost},
        {CrushOp::kChooseIndep, 2, 0},
        kEmit}},
      {5,
       {kTakeAll,
        {CrushOp::kChooseFirstn, 0, kRack},
        {CrushOp::kChooseleafFirstn, 2, kHost},
        kEmit}}};
  size_t judged_pgs = 0;
  for (const auto& [size, steps] : rules) {
    for (const uint8_t type : {map::kPoolReplicated, map::kPoolErasure}) {
      const auto m = racks(type, size, steps);
      const RuleJudge judge(*m.crush, m.pools.at(2));
      ASSERT_EQ(judge.not_understood(), "");
      for (uint32_t seed = 0; seed < 64; seed++) {
        const auto up = m.raw({2, seed});
        if (up.size() != size || std::count(up.begin(), up.end(), kOsdNone)) continue;
        EXPECT_EQ(judge.violation(up).value_or(""), "") << "size " << int{size};
        judged_pgs++;
      }
    }
  }
  EXPECT_GT(judged_pgs, 600u);
}

}  // namespace

}  // namespace plimsoll::mover
