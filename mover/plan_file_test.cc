// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan_file.h"

#include <gtest/gtest.h>

#include "mover/model/json_reader.h"

namespace plimsoll::mover {

namespace {

PlanFile full_plan() {
  PlanFile f;
  f.fsid = *Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  f.pools = {{2, "a \"b\""}, {3, "rbd"}};
  Plan& p = f.plan;
  p.epoch = 33;
  p.goal.kind = GoalKind::kMove;
  p.goal.selection = Selection::kLargest;
  p.goal.above = 0.1 + 0.2;  // more digits than people write
  p.goal.devices = {1, 2};
  p.goal.targets = {7};
  p.goal.pools = {3};
  p.goal.move = HandMove{{2, 0x1f}, 54, 20};
  p.goal.horizon_days = 3;
  p.goal.max_bytes = 10ull << 40;
  p.waves = 2;
  p.bytes = UINT64_C(18014398509481985);
  p.lower_bound = 7;
  p.fullest_before = 1 / 3.0;
  p.fullest_osd_before = 54;
  p.reaches_goal = true;
  p.tries = 12;
  for (Why why : {Why::kBestFit, Why::kLargest, Why::kPair, Why::kSwap, Why::kDrained, Why::kFills,
                  Why::kByHand}) {
    Move m;
    m.pg = {2, static_cast<uint32_t>(p.moves.size())};
    m.from = 54;
    m.to = 20;
    m.position = 1;
    m.bytes = 99;
    m.why = why;
    m.wave = static_cast<uint32_t>(p.moves.size()) / 4;
    m.from_before = 0.912;
    m.items_before = {{1, 2}};
    m.items_after = {{1, 2}, {54, 20}};
    p.moves.push_back(m);
  }
  for (int i = 0; i <= static_cast<int>(Block::kUnexplained); i++)
    p.blocked.push_back({.osd = i, .block = static_cast<Block>(i), .bytes = 5, .detail = "x"});
  p.blocked[0].pg = {3, 1};
  for (auto kind : {Advice::Kind::kAddCapacity, Advice::Kind::kDelete, Advice::Kind::kRaisePgNum,
                    Advice::Kind::kChangeRule})
    p.advice.push_back({kind, "ssd", 1, 2, "add\n"});
  p.dead_entries = {{{3, 5}, {{1, 2}}, {}}};
  return f;
}

Result<PlanFile> read(const std::string& text) {
  MemorySource source(text);
  return read_plan_file(source, "plan");
}

TEST(PlanFile, KeepsEverything) {
  const PlanFile f = full_plan();
  const std::string text = print_plan_file(f);
  auto back = read(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->fsid, f.fsid);
  EXPECT_EQ(back->pools, f.pools);
  EXPECT_EQ(back->plan.moves, f.plan.moves);
  EXPECT_EQ(back->plan.blocked, f.plan.blocked);
  EXPECT_EQ(back->plan.advice, f.plan.advice);
  EXPECT_EQ(back->plan.dead_entries, f.plan.dead_entries);
  EXPECT_EQ(back->plan.goal.above, f.plan.goal.above);
  EXPECT_EQ(back->plan.goal.move->pg, f.plan.goal.move->pg);
  EXPECT_EQ(back->plan.bytes, f.plan.bytes);
  EXPECT_EQ(back->plan.fullest_before, f.plan.fullest_before);
  // Everything else is in the text.
  EXPECT_EQ(print_plan_file(*back), text);
}

TEST(PlanFile, EveryPrefixIsAnErrorThatSaysWhere) {
  const std::string text = print_plan_file(full_plan());
  for (size_t n = 0; n < text.rfind('}'); n++) {
    auto r = read(text.substr(0, n));
    ASSERT_FALSE(r) << n;
    ASSERT_NE(r.error().text().find("cut short"), std::string::npos) << r.error().text();
  }
}

TEST(PlanFile, NamesWhatIsWrong) {
  const std::string text = print_plan_file(full_plan());
  const struct {
    const char *from, *to, *named;
  } cases[] = {
      {"\"plimsoll_mover_plan\":1", "\"plimsoll_mover_plan\":9", "version 9"},
      {"\"plimsoll_mover_plan\":1", "\"other\":1", "this is no plan"},
      {"\"kind\":\"move\"", "\"kind\":\"shuffle\"", "goal.kind"},
      {"\"why\":\"pair\"", "\"why\":\"because\"", "moves[2].why"},
      {"\"pg\":\"2.3\"", "\"pg\":\"2.2\"", "PG 2.2 moves twice"},
      {"\"pg\":\"2.3\"", "\"pg\":\"two\"", "'two' is no PG"},
      {"\"from\":54,\"to\":20,\"bytes\"", "\"from\":20,\"to\":20,\"bytes\"", "to itself"},
      {"\"from\":54,\"to\":20,\"bytes\"", "\"from\":54,\"to\":-7,\"bytes\"", "-7 is no OSD id"},
      {"\"from\":54,\"to\":20,\"bytes\"", "\"from\":54,\"bytes\"", "nowhere"},
      {"\"wave\":0", "\"wave\":3", "behind wave 3"},
      {"\"items_before\":[[1,2]]", "\"items_before\":[[1]]", "items_before[0]"},
      {"\"items_before\":[[1,2]]", "\"items_before\":[[1,-2]]", "-2 is no OSD id"},
      {"\"from_fill\":[0.912,0]", "\"from_fill\":[inf,0]", "from_fill[0]"},
      {"\"max_bytes\":10995116277760", "\"max_bytes\":-1", "goal.max_bytes"},
  };
  for (const auto& c : cases) {
    std::string broken = text;
    const size_t at = broken.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    broken.replace(at, std::strlen(c.from), c.to);
    auto r = read(broken);
    ASSERT_FALSE(r) << c.to;
    EXPECT_NE(r.error().text().find(c.named), std::string::npos) << r.error().text();
    EXPECT_NE(r.error().text().find("byte "), std::string::npos) << r.error().text();
  }
}

}  // namespace

}  // namespace plimsoll::mover
