// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line: options, OSDs by name, goals.
#include <gtest/gtest.h>

#include "common/map/test_maps.h"
#include "mover/goal_options.h"
#include "mover/osd_spec.h"

namespace plimsoll::mover {

namespace {

map::OSDMap cluster() {
  map::OSDMap m =
      map::make_cluster({.hosts = 4, .osds_per_host = 2, .hosts_per_rack = 2, .classes = 2});
  m.osd_state[7] = 0;  // does not exist
  return m;
}

template <class T>
std::string error_of(const Result<T>& r) {
  return r ? "" : r.error().text();
}

Result<Goal> goal(std::vector<std::string> args) {
  args.insert(args.begin(), "plan");
  TRY(arguments, Arguments::parse(args));
  return goal_of(arguments, cluster());
}

TEST(Arguments, OptionsWordsAndValues) {
  auto a = Arguments::parse({"plan", "relieve", "osd.1", "--above=90%", "--pool", "a,b", "--pool",
                             "c", "-f", "json", "--explain"});
  ASSERT_TRUE(a) << error_of(a);
  EXPECT_EQ(a->command(), "plan");
  EXPECT_EQ(a->words(), (std::vector<std::string>{"relieve", "osd.1"}));
  EXPECT_EQ(a->text("above"), "90%");
  EXPECT_EQ(a->list("pool"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(a->text("format"), "json");
  EXPECT_TRUE(a->has("explain"));
  EXPECT_EQ(*a->size("max-bytes", 5), 5u);
}

TEST(Arguments, ErrorsNameTheWord) {
  auto error = [](std::vector<std::string> args) { return error_of(Arguments::parse(args)); };
  EXPECT_EQ(error({"plan", "--abvoe", "1"}), "unknown option '--abvoe'");
  EXPECT_EQ(error({"plan", "-z"}), "unknown option '-z'");
  EXPECT_EQ(error({"plan", "--above"}), "--above needs a value: FILL");
  EXPECT_EQ(error({"plan", "--explain=1"}), "--explain takes no value");
  EXPECT_EQ(error({"gather", "x", "--above", "1"}), "--above is no option of 'gather'");
}

TEST(Arguments, UsageHasEveryCommand) {
  for (const auto& c : command_infos()) EXPECT_NE(usage().find(c.name), std::string::npos);
}

TEST(OsdSpec, NamesOfAllKinds) {
  const map::OSDMap m = cluster();
  using Set = std::set<OsdId>;
  EXPECT_EQ(*osds_of({"osd.3"}, m), Set{3});
  EXPECT_EQ(*osds_of({"3", "host:host0"}, m), (Set{0, 1, 3}));
  EXPECT_EQ(*osds_of({"rack:rack0"}, m), (Set{0, 1, 2, 3}));
  EXPECT_EQ(*osds_of({"host3"}, m), Set{6});  // osd.7 does not exist
  EXPECT_EQ(*osds_of({"bucket:host1"}, m), (Set{2, 3}));
  EXPECT_EQ(*osds_of({"class:c1"}, m), (Set{1, 3, 5}));
  EXPECT_EQ(*osds_of({"default~c1"}, m), (Set{1, 3, 5}));
  EXPECT_EQ(error_of(osds_of({"osd.7"}, m)), "osd.7 does not exist");
  EXPECT_EQ(error_of(osds_of({"osd.99"}, m)), "osd.99 does not exist");
  EXPECT_EQ(error_of(osds_of({"host9"}, m)), "there is no 'host9' in the CRUSH map");
  EXPECT_EQ(error_of(osds_of({"rack:host1"}, m)), "'host1' is no rack, it is a host");
  EXPECT_EQ(error_of(osds_of({"cage:host1"}, m)), "'cage:host1': there is no CRUSH type 'cage'");
  EXPECT_EQ(error_of(osds_of({"class:nvme"}, m)), "there is no device class 'nvme'");
}

TEST(GoalOptions, EveryGoal) {
  auto relieve =
      goal({"relieve",     "host:host0", "--above",     "90%",         "--to",        "0.8",
            "--max-bytes", "10T",        "--max-moves", "5",           "--backfills", "2",
            "--target",    "class:c0",   "--pool",      "data",        "--selection", "largest",
            "--predict",   "72h",        "--peak",      "backfillfull"});
  ASSERT_TRUE(relieve) << error_of(relieve);
  EXPECT_EQ(relieve->kind, GoalKind::kRelieve);
  EXPECT_DOUBLE_EQ(relieve->above, 0.9);
  EXPECT_DOUBLE_EQ(relieve->to, 0.8);
  EXPECT_EQ(relieve->devices, (std::set<OsdId>{0, 1}));
  EXPECT_EQ(relieve->targets, (std::set<OsdId>{0, 2, 4, 6}));
  EXPECT_EQ(relieve->pools, std::set<PoolId>{1});
  EXPECT_EQ(relieve->max_bytes, 10ull << 40);
  EXPECT_EQ(relieve->max_moves, 5u);
  EXPECT_EQ(relieve->backfills, 2u);
  EXPECT_EQ(relieve->selection, Selection::kLargest);
  EXPECT_EQ(relieve->horizon_days, 3);
  EXPECT_EQ(relieve->peak_limit, 0.9);
  // The map's nearfull is a float; the goal is what people mean by it.
  EXPECT_EQ(goal({"relieve"})->above, 0.85);
  EXPECT_EQ(goal({"relieve", "--above", "0.7"})->to, 0.7);
  EXPECT_EQ(goal({"balance", "--within", "2%"})->within, 0.02);
  EXPECT_EQ(goal({"drain", "osd.2,osd.3"})->devices, (std::set<OsdId>{2, 3}));
  EXPECT_EQ(goal({"fill", "osd.2"})->kind, GoalKind::kFill);
  EXPECT_EQ(goal({"move", "1.f", "osd.1", "2"})->move->to, 2);
}

TEST(GoalOptions, ErrorsNameTheOptionOrWord) {
  EXPECT_EQ(error_of(goal({})), "plan wants relieve, drain, balance, fill or move");
  EXPECT_EQ(error_of(goal({"shuffle"})),
            "plan wants relieve, drain, balance, fill or move, not 'shuffle'");
  EXPECT_EQ(error_of(goal({"drain"})), "plan drain wants OSDs");
  EXPECT_EQ(error_of(goal({"relieve", "--above", "850%"})),
            "--above: '850%' is not between 0 and 100%");
  EXPECT_EQ(error_of(goal({"relieve", "--above", "nan"})),
            "--above: 'nan' is not between 0 and 100%");
  EXPECT_EQ(error_of(goal({"relieve", "--to", "x"})),
            "--to: 'x' is no fill: 85%, 0.85 or nearfull");
  EXPECT_EQ(error_of(goal({"relieve", "--max-bytes", "10Q"})), "--max-bytes: '10Q' is no size");
  EXPECT_EQ(error_of(goal({"relieve", "--max-moves", "-1"})), "--max-moves: '-1' is no number");
  EXPECT_EQ(error_of(goal({"relieve", "--backfills", "0"})), "--backfills: at least 1");
  EXPECT_EQ(error_of(goal({"relieve", "--predict", "soon"})), "--predict: 'soon' is no time");
  EXPECT_EQ(error_of(goal({"relieve", "--pool", "nix"})), "there is no pool 'nix'");
  EXPECT_EQ(error_of(goal({"relieve", "--selection", "random"})),
            "--selection: best-fit or largest, not 'random'");
  EXPECT_EQ(error_of(goal({"move", "1.f", "osd.1"})),
            "plan move wants PG FROM TO: 2.1f osd.54 osd.20");
  EXPECT_EQ(error_of(goal({"move", "1.ffff", "osd.1", "osd.2"})), "PG 1.ffff does not exist");
  EXPECT_EQ(error_of(goal({"move", "x", "osd.1", "osd.2"})), "'x' is no PG");
}

TEST(GoalOptions, CordonsAndGrowth) {
  Dump dump;
  dump.map = cluster();
  auto a =
      Arguments::parse({"plan", "relieve", "--cordon", "host:host1", "--growth", "data=2T/day"});
  ASSERT_TRUE(a);
  ASSERT_TRUE(add_options(*a, dump));
  EXPECT_EQ(dump.cordoned, (std::set<OsdId>{2, 3}));
  EXPECT_EQ(dump.growth_per_day.at(1), int64_t{2} << 40);
  for (const char* bad : {"data", "data=x", "nix=1G", "=1G"}) {
    auto b = Arguments::parse({"plan", "relieve", "--growth", bad});
    EXPECT_FALSE(add_options(*b, dump)) << bad;
  }
}

}  // namespace

}  // namespace plimsoll::mover
