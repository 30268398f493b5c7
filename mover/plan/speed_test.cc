// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans for large made-up clusters: limits are kept, and what it took is printed, not judged.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <ctime>

#include "mover/plan/plan.h"
#include "qa/bench/mover/synth.h"

namespace plimsoll::mover {

namespace {

double spread(const State& s, const Plan& plan, bool ssd) {
  std::vector<double> use;
  for (const Device& d : s.devices) use.push_back(static_cast<double>(d.used));
  for (const Move& m : plan.moves) {
    use[m.from] -= static_cast<double>(m.bytes);
    use[m.to] += static_cast<double>(m.bytes);
  }
  double n = 0, sum = 0, squares = 0, low = 9, high = 0;
  for (size_t i = 0; i < use.size(); i++) {
    if ((i % 10 >= 8) != ssd) continue;
    const double fill = use[i] / static_cast<double>(s.devices[i].size);
    n++;
    sum += fill;
    squares += fill * fill;
    low = std::min(low, fill);
    high = std::max(high, fill);
  }
  const double sd = std::sqrt(squares / n - sum / n * sum / n);
  fmt::print("    {} {:.1f}-{:.1f} sd {:.2f}", ssd ? "ssd" : "hdd", low * 100, high * 100,
             sd * 100);
  return sd;
}

void report(const State& s, const char* name, const Goal& goal) {
  const std::clock_t start = std::clock();
  const auto plan = make_plan(s, goal);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  ASSERT_TRUE(plan.has_value());
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  fmt::print(
      "  {:<20} {:.3f} s of CPU, {} MB, {} moves, {} waves, {:.1f} TiB, ratio {:.4f}, {} blocked, "
      "{} tries, {}\n",
      name, seconds, usage.ru_maxrss / 1024, plan->moves.size(), plan->waves,
      static_cast<double>(plan->bytes) / (1ull << 40),
      static_cast<double>(plan->bytes) / static_cast<double>(plan->lower_bound),
      plan->blocked.size(), plan->tries, plan->reaches_goal ? "reached" : "not reached");
  spread(s, *plan, false);
  spread(s, *plan, true);
  std::map<Block, int> blocks;
  for (const Blocked& b : plan->blocked) blocks[b.block]++;
  for (const auto& [b, n] : blocks) fmt::print(" {} {}", n, block_name(b));
  for (const auto& a : plan->advice) fmt::print("\n      {}", a.text);
  fmt::print("\n");
}

void run(int osds) {
  SynthShape shape;
  shape.osds = osds;
  const State s = synth_state(make_synth(shape));
  fmt::print("{} OSDs, {} PGs\n", osds, s.num_pgs());
  Goal relieve;
  relieve.above = relieve.to = 0.85;
  report(s, "relieve best fit", relieve);
  relieve.selection = Selection::kLargest;
  report(s, "relieve largest", relieve);
  Goal balance;
  balance.kind = GoalKind::kBalance;
  balance.within = 0.01;
  report(s, "balance 1%", balance);
  balance.within = 0.005;
  report(s, "balance 0.5%", balance);
}

TEST(Speed, Hundred) {
  run(100);
}
TEST(Speed, Thousand) {
  run(1000);
}
TEST(Speed, TenThousand) {
  run(10000);
}

}  // namespace
}  // namespace plimsoll::mover
