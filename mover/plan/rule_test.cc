// SPDX-License-Identifier: LGPL-2.1-or-later
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "common/map/crush_mapper.h"
#include "common/map/crush_text.h"
#include "mover/plan/rule.h"
#include "mover/plan/test_states.h"

namespace plimsoll::mover {

namespace {

using Steps = std::vector<std::string>;
using Osds = std::vector<OsdId>;

/// A cluster with one pool of a rule, and that rule as constraints.
struct Fixture {
  Fixture(TestCluster c, const Steps& steps, uint8_t size, bool erasure = false) {
    c.add_pool("p", c.add_rule("r", steps, erasure), size, erasure);
    state = c.make();
    rules = std::make_unique<Rules>(state);
  }
  const Rule& rule() const { return rules->of(1); }
  bool holds(const Osds& up) const { return rule().holds(up); }
  std::optional<Block> refuses(const Osds& up, uint32_t position, OsdId to) const {
    return rule().refuses(up, position, to);
  }
  State state;
  std::unique_ptr<Rules> rules;
};

/// `racks` racks of `hosts` hosts of two devices: osd = ((rack * hosts) + host) * 2 + 0 or 1. The
/// second one of each host is of class ssd, the first of class hdd.
TestCluster grid(int racks, int hosts) {
  TestCluster c;
  for (int rack = 0; rack < racks; rack++)
    for (int host = 0; host < hosts; host++)
      for (const char* device_class : {"hdd", "ssd"})
        c.add_osd({.host = fmt::format("h{}-{}", rack, host),
                   .rack = fmt::format("r{}", rack),
                   .device_class = device_class});
  return c;
}

TEST(Rule, OneDevicePerHost) {
  const Fixture f(grid(2, 3), {"take default", "chooseleaf firstn 0 type host", "emit"}, 3);
  EXPECT_EQ(f.rule().refusal(), std::nullopt);
  EXPECT_TRUE(f.holds({0, 2, 4}));
  EXPECT_FALSE(f.holds({0, 1, 4})) << "one host twice";
  EXPECT_FALSE(f.holds({0, 2, kOsdNone}));
  EXPECT_FALSE(f.holds({0, 0, 4}));
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 6), std::nullopt);
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 3), std::nullopt) << "the host that is left may come again";
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 1), Block::kFailureDomain);
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 4), Block::kTargetInUp);
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 2), Block::kTargetInUp);
  EXPECT_EQ(f.refuses({0, 2, 4}, 1, 99), Block::kTargetNotInRule);
  EXPECT_EQ(f.rule().failure_domain(), *f.state.crush->find_type("host"));
}

TEST(Rule, DevicesOfAClassOnly) {
  const Fixture f(grid(1, 4), {"take default class ssd", "chooseleaf firstn 0 type host", "emit"},
                  2);
  EXPECT_TRUE(f.holds({1, 3}));
  EXPECT_FALSE(f.holds({1, 2})) << "osd.2 is an hdd";
  EXPECT_EQ(f.refuses({1, 3}, 0, 5), std::nullopt);
  EXPECT_EQ(f.refuses({1, 3}, 0, 4), Block::kTargetNotInRule);
  EXPECT_EQ(f.rule().devices(f.rule().root_of(0)), (Osds{1, 3, 5, 7}));
}

TEST(Rule, DevicesWithoutWeightAreNoTargets) {
  TestCluster c = grid(1, 4);
  c.add_osd({.host = "h0-4", .rack = "r0", .size = 0});
  const Fixture f(std::move(c), {"take default", "chooseleaf firstn 0 type host", "emit"}, 2);
  EXPECT_EQ(f.refuses({0, 2}, 0, 8), Block::kTargetNotInRule);
}

TEST(Rule, TwoHostsInEachOfTwoRacks) {
  const Fixture f(
      grid(3, 3),
      {"take default", "choose firstn 2 type rack", "chooseleaf firstn 2 type host", "emit"}, 4);
  ASSERT_EQ(f.rule().refusal(), std::nullopt);
  const Osds up{0, 2, 6, 8};
  EXPECT_TRUE(f.holds(up));
  EXPECT_FALSE(f.holds({0, 6, 2, 8})) << "positions of one branch in two racks";
  EXPECT_FALSE(f.holds({0, 2, 4, 8})) << "two branches in one rack";
  EXPECT_EQ(f.refuses(up, 0, 4), std::nullopt);
  EXPECT_EQ(f.refuses(up, 0, 3), Block::kFailureDomain) << "the host of its neighbour";
  EXPECT_EQ(f.refuses(up, 0, 10), Block::kFailureDomain) << "the other branch's rack";
  EXPECT_EQ(f.refuses(up, 0, 12), Block::kFailureDomain) << "away from its neighbour";
}

TEST(Rule, ScopesAreWhereAnAnswerCanBe) {
  const Fixture nested(
      grid(3, 3),
      {"take default", "choose firstn 2 type rack", "chooseleaf firstn 2 type host", "emit"}, 4);
  const Fixture tight(grid(3, 2), {"take default", "chooseleaf firstn 0 type rack", "emit"}, 3);
  for (const auto& [f, up] : {std::pair{&nested, Osds{0, 2, 6, 8}}, {&tight, {0, 4, 8}}})
    for (uint32_t position = 0; position < up.size(); position++) {
      std::vector<Scope> scopes;
      f->rule().scopes(up, position, scopes);
      const map::CrushItem rack = f->rules->domains().ancestor(up[position], 3);
      for (const Scope& s : scopes) {
        ASSERT_NE(s.type, 0) << "not the whole root";
        for (OsdId osd = 0; osd < static_cast<OsdId>(f->state.devices.size()); osd++)
          if (f->rules->domains().ancestor(osd, s.type) == s.bucket)
            EXPECT_EQ(f->rules->domains().ancestor(osd, 3), rack);
      }
      for (OsdId to = 0; to < static_cast<OsdId>(f->state.devices.size()); to++) {
        bool inside = false;
        for (const Scope& s : scopes)
          inside |= f->rules->domains().ancestor(to, s.type) == s.bucket;
        EXPECT_TRUE(inside || f->refuses(up, position, to)) << "osd." << to;
      }
    }
}

TEST(Rule, TwoTakesWithSharedHosts) {
  // One copy on ssd, two on hdd. Hosts may be shared: monitors see host~ssd and host~hdd as two.
  const Fixture f(grid(1, 4),
                  {"take default class ssd", "chooseleaf firstn 1 type host", "emit",
                   "take default class hdd", "chooseleaf firstn -1 type host", "emit"},
                  3);
  ASSERT_EQ(f.rule().refusal(), std::nullopt);
  EXPECT_TRUE(f.holds({1, 0, 2}));
  EXPECT_EQ(f.refuses({1, 2, 4}, 0, 3), std::nullopt) << "ssd beside the hdd of one host";
  EXPECT_EQ(f.refuses({1, 2, 4}, 0, 6), Block::kTargetNotInRule);
  EXPECT_EQ(f.refuses({1, 2, 4}, 1, 0), std::nullopt);
  EXPECT_EQ(f.refuses({1, 2, 4}, 1, 3), Block::kTargetNotInRule);
  EXPECT_EQ(f.refuses({1, 2, 4}, 1, 4), Block::kTargetInUp);
}

TEST(Rule, TwoTakesOfOneRootAreComparedByMonitors) {
  const Fixture f(grid(1, 5),
                  {"take default", "chooseleaf firstn 2 type host", "emit", "take default",
                   "chooseleaf firstn 1 type host", "emit"},
                  3);
  ASSERT_EQ(f.rule().refusal(), std::nullopt);
  EXPECT_TRUE(f.holds({0, 2, 1})) << "CRUSH itself can choose a host for both takes";
  EXPECT_EQ(f.refuses({0, 2, 4}, 2, 6), std::nullopt);
  EXPECT_EQ(f.refuses({0, 2, 4}, 2, 1), Block::kFailureDomain);
  EXPECT_EQ(f.refuses({0, 2, 1}, 2, 6), std::nullopt) << "mended";
}

TEST(Rule, HybridRuleThatMonitorsNeverAccept) {
  // Two racks are four to monitors: rack~ssd and rack~hdd of each.
  const Fixture f(grid(2, 2),
                  {"take default class ssd", "choose firstn 2 type rack",
                   "chooseleaf firstn 1 type host", "emit", "take default class hdd",
                   "choose firstn 2 type rack", "chooseleaf firstn 1 type host", "emit"},
                  4);
  EXPECT_EQ(f.rule().refusal(), Block::kTwoTakes);
  TestCluster c = grid(2, 2);
  c.add_osd({.host = "rackless", .device_class = "ssd"});
  const Fixture more(std::move(c),
                     {"take default class ssd", "choose firstn 2 type rack",
                      "chooseleaf firstn 1 type host", "emit", "take default class hdd",
                      "choose firstn 2 type rack", "chooseleaf firstn 1 type host", "emit"},
                     4);
  EXPECT_EQ(more.rule().refusal(), Block::kTwoTakes) << "whatever else is below the root";
}

TEST(Rule, ThreeLevelsThatMonitorsNeverAccept) {
  const Fixture f(grid(4, 4),
                  {"take default", "choose indep 2 type rack", "choose indep 2 type host",
                   "choose indep 1 type osd", "emit"},
                  4, true);
  EXPECT_EQ(f.rule().refusal(), Block::kNestedChoose);
}

TEST(Rule, StepsThatAreNotUnderstood) {
  for (const Steps& steps : {Steps{"take default", "choose firstn 0 type host", "emit"},
                             Steps{"take default", "chooseleaf firstn 2 type host", "emit"},
                             Steps{"take default", "emit"}}) {
    const Fixture f(grid(1, 4), steps, 3);
    EXPECT_EQ(f.rule().refusal(), Block::kRuleNotUnderstood) << steps[1];
    EXPECT_FALSE(f.holds({0, 2, 4}));
  }
  TestCluster c = grid(1, 4);
  c.add_pool("p", 7, 3);
  const State s = c.make();
  EXPECT_EQ(Rules(s).of(1).refusal(), Block::kRuleNotUnderstood) << "no such rule";
}

/// Whatever CRUSH chooses follows the rule as we read it, weight sets or not.
TEST(Rule, HoldsForWhatCrushChooses) {
  const std::vector<std::pair<Steps, uint8_t>> rules = {
      {{"take default", "chooseleaf firstn 0 type host", "emit"}, 3},
      {{"take default", "chooseleaf firstn 0 type rack", "emit"}, 4},
      {{"take default", "choose firstn 0 type osd", "emit"}, 3},
      {{"take default class hdd", "chooseleaf indep 0 type host", "emit"}, 6},
      {{"take default", "choose indep 3 type rack", "chooseleaf indep 2 type host", "emit"}, 6},
      {{"take default", "choose firstn 2 type rack", "chooseleaf firstn 2 type host", "emit"}, 3},
      {{"take default class ssd", "chooseleaf firstn 1 type host", "emit", "take default class hdd",
        "chooseleaf firstn -1 type host", "emit"},
       3},
  };
  for (const bool weight_sets : {false, true})
    for (const auto& [steps, size] : rules) {
      Fixture f(grid(5, 4), steps, size);
      map::CrushMap crush = *f.state.crush;
      if (weight_sets) {
        ASSERT_TRUE(crush.create_choose_args(map::kDefaultChooseArgs, 1).has_value());
        ASSERT_TRUE(
            crush.set_choose_args_weight(map::kDefaultChooseArgs, "osd.3", {0.3}).has_value());
      }
      const Domains domains(crush, 40);
      const Rule rule(crush, domains, 0, size);
      const std::vector<uint32_t> weights(40, 0x10000);
      int whole = 0;
      for (uint32_t x = 0; x < 500; x++) {
        const auto up = map::crush_do_rule(crush, 0, x, size, weights,
                                           crush.choose_args_for(map::kDefaultChooseArgs));
        if (up.size() < size || std::count(up.begin(), up.end(), map::kCrushNone)) continue;
        whole++;
        EXPECT_TRUE(rule.holds(up)) << fmt::format("{} of {}", x, steps[1]);
      }
      EXPECT_GT(whole, 400) << steps[1];
    }
}

}  // namespace
}  // namespace plimsoll::mover
