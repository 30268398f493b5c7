// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans for large made-up clusters: limits are kept, and what it took is printed, not judged.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <ctime>

#include "common/base/rng.h"
#include "common/base/size_text.h"
#include "mover/plan/plan.h"
#include "qa/bench/mover/synth.h"

namespace plimsoll::mover {

namespace {

std::vector<double> fills_after(const State& s, const Plan& plan, bool ssd) {
  std::vector<int64_t> use;
  for (const Device& d : s.devices) use.push_back(static_cast<int64_t>(d.used));
  for (const Move& m : plan.moves) {
    use[m.from] -= static_cast<int64_t>(m.bytes);
    use[m.to] += static_cast<int64_t>(m.bytes);
  }
  std::vector<double> out;
  for (size_t i = 0; i < use.size(); i++)
    if ((i % 10 >= 8) == ssd)
      out.push_back(static_cast<double>(use[i]) / static_cast<double>(s.devices[i].size));
  return out;
}

/// "77.0-79.0 sd 0.82"
std::string spread(const std::vector<double>& fills) {
  double sum = 0, squares = 0;
  for (double f : fills) sum += f, squares += f * f;
  const double n = static_cast<double>(fills.size()), mean = sum / n;
  const auto [low, high] = std::minmax_element(fills.begin(), fills.end());
  return fmt::format("{:.1f}-{:.1f} sd {:.2f}", *low * 100, *high * 100,
                     std::sqrt(std::max(0.0, squares / n - mean * mean)) * 100);
}

Plan report(const State& s, const char* name, const Goal& goal) {
  const std::clock_t start = std::clock();
  const auto plan = make_plan(s, goal);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  CHECK(plan.has_value());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "  {:<16} {:.3f} s of CPU, {} MB; {} moves, {}, ratio {:.4f}, {} waves, {} tries\n"
      "    {}, {} blocked; hdd {}, ssd {}\n",
      name, seconds, usage.ru_maxrss / 1024, plan->moves.size(), bytes_text(plan->bytes),
      static_cast<double>(plan->bytes) /
          static_cast<double>(std::max<uint64_t>(plan->lower_bound, 1)),
      plan->waves, plan->tries, plan->reaches_goal ? "reached" : "not reached",
      plan->blocked.size(), spread(fills_after(s, *plan, false)),
      spread(fills_after(s, *plan, true)));
  std::map<Block, int> blocks;
  for (const Blocked& b : plan->blocked) blocks[b.block]++;
  for (const auto& [block, n] : blocks) fmt::print("    {} {}\n", n, block_name(block));
  for (const Advice& a : plan->advice) fmt::print("    {}\n", a.text);
  if (goal.kind == GoalKind::kRelieve && plan->reaches_goal)
    EXPECT_LE(plan->fullest_after, goal.to);
  return *plan;
}

void run_all(const State& s) {
  fmt::print("{} OSDs, {} PGs\n", s.devices.size(), s.num_pgs());
  Goal goal;
  goal.above = goal.to = 0.85;
  const Plan best = report(s, "relieve best fit", goal);
  goal.selection = Selection::kLargest;
  const Plan largest = report(s, "relieve largest", goal);
  if (best.reaches_goal && largest.reaches_goal) EXPECT_LT(best.bytes, largest.bytes);
  goal.selection = Selection::kBestFit;
  goal.kind = GoalKind::kBalance;
  goal.within = 0.01;
  report(s, "balance 1%", goal);
  goal.within = 0.005;
  report(s, "balance 0.5%", goal);
  goal.kind = GoalKind::kDrain;
  for (OsdId osd = 20; osd < 30; osd++) goal.devices.insert(osd);
  report(s, "drain a host", goal);
}

State synth(int osds, double hdd_fill = 0.78) {
  SynthShape shape;
  shape.osds = osds;
  shape.hdd_fill = hdd_fill;
  return synth_state(make_synth(shape));
}

TEST(Speed, Hundred) {
  run_all(synth(100));
}
TEST(Speed, Thousand) {
  run_all(synth(1000));
}
TEST(Speed, TenThousand) {
  run_all(synth(10000));
}

/// Where nearly everything is full the search is long, but bounded.
TEST(Speed, NearlyFull) {
  const State s = synth(1000, 0.893);
  fmt::print("1000 OSDs at 89.3%\n");
  Goal goal;
  goal.peak_limit = 0.94;
  for (const double to : {0.90, 0.88}) {
    goal.above = goal.to = to;
    report(s, fmt::format("relieve {}", to).c_str(), goal);
  }
}

/// A million PGs of three copies, each in a rack of its own, sizes within a factor of two; larger
/// devices have more of them.
State million_pgs(State s, uint64_t smallest) {
  const PoolId pool = s.pools.begin()->first;
  const Pool keep = s.pools.at(pool);
  s.pools = {{pool, keep}};
  for (auto* all : {&s.raw, &s.up, &s.acting}) all->clear();
  s.pg_ids.clear();
  s.pg_flags.clear();
  s.first_position.clear();
  s.shard_bytes.clear();
  for (Device& d : s.devices) d.used = 0;
  Rng rng(5);
  const uint64_t largest = s.devices[20].size;
  for (uint32_t seed = 0; seed < 1'000'000; seed++) {
    s.pg_ids.push_back({pool, seed});
    s.pg_flags.push_back(kPgIsActive | kPgIsClean);
    s.first_position.push_back(static_cast<uint32_t>(s.up.size()));
    const uint64_t bytes = smallest + rng.below(smallest);
    uint64_t racks[3];
    for (int i = 0; i < 3; i++) {
      do racks[i] = rng.below(50);
      while ((i > 0 && racks[i] == racks[0]) || (i > 1 && racks[i] == racks[1]));
      OsdId osd = 0;
      do osd = static_cast<OsdId>(racks[i] * 200 + rng.below(20) * 10 + rng.below(8));
      while (rng.below(largest) >= s.devices[osd].size);
      s.up.push_back(osd);
      s.shard_bytes.push_back(bytes);
      s.devices[osd].used += bytes;
    }
  }
  s.first_position.push_back(static_cast<uint32_t>(s.up.size()));
  s.raw = s.acting = s.up;
  return s;
}

TEST(Speed, AMillionPgs) {
  const State devices = synth(10000);
  run_all(million_pgs(devices, uint64_t{15} << 30));
  // On average above the peak limit: nothing helps, and that must be known soon.
  run_all(million_pgs(devices, uint64_t{18} << 30));
}

}  // namespace
}  // namespace plimsoll::mover
