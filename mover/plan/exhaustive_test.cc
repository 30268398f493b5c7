// SPDX-License-Identifier: LGPL-2.1-or-later
// Plans for tiny clusters against the best of all plans that there are. The search knows the rules
// in its own, plain way: one device per host, each PG changes once.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "common/base/rng.h"
#include "mover/plan/plan.h"
#include "mover/plan/test_states.h"
#include "mover/plan/upmap.h"

namespace plimsoll::mover {

namespace {

struct Case {
  State state;
  std::vector<int> host;
  Goal goal;
};

Case random_case(Rng& rng) {
  Case out;
  TestCluster c;
  const auto osds = static_cast<OsdId>(4 + rng.below(3));
  for (OsdId osd = 0; osd < osds; osd++) {
    out.host.push_back(rng.chance(0.25) && osd > 0 ? out.host.back() : osd);
    c.add_osd({.host = fmt::format("h{}", out.host.back()), .size = rng.chance(0.3) ? 200u : 100u});
    c.device(osd).fixed = rng.below(40) * kGiB;
  }
  const bool erasure = rng.chance(0.4);
  const int rule =
      c.add_rule("r",
                 {"take default",
                  fmt::format("chooseleaf {} 0 type host", erasure ? "indep" : "firstn"), "emit"},
                 erasure);
  const size_t width = 2 + (rng.chance(0.3) ? 1 : 0);
  const PoolId pool = c.add_pool("p", rule, static_cast<uint8_t>(width), erasure);
  auto draw = [&] {
    std::vector<OsdId> up;
    std::set<int> hosts;
    for (int tries = 0; up.size() < width && tries < 100; tries++) {
      // Low ids are chosen more often, so that some device gets full.
      const auto osd = static_cast<OsdId>(std::min(rng.below(osds), rng.below(osds)));
      if (hosts.insert(out.host[osd]).second) up.push_back(osd);
    }
    return up;
  };
  for (uint64_t n = 3 + rng.below(width == 2 ? 3 : 2); n; n--) {
    const auto up = draw(), raw = rng.chance(0.3) ? draw() : up;
    if (up.size() < width || raw.size() < width || !upmap_items(raw, up, erasure)) continue;
    c.add_pg(pool, 5 + rng.below(25), up, raw);
  }
  out.goal.above = out.goal.to = 0.60 + 0.05 * static_cast<double>(rng.below(5));
  out.goal.peak_limit = 0.95;
  out.state = c.make();
  return out;
}

/// The fewest bytes of any set of moves, one a PG, after which no device is above the goal that was
/// above it or took something.
class Exhaustive {
 public:
  explicit Exhaustive(const Case& c) : case_(c), s_(c.state) {
    for (const Device& d : s_.devices) {
      use_.push_back(d.used);
      cap_.push_back(static_cast<uint64_t>(c.goal.to * static_cast<double>(d.size)));
    }
    touched_.resize(use_.size());
    for (size_t i = 0; i < use_.size(); i++) touched_[i] = use_[i] > cap_[i];
  }
  /// UINT64_MAX where no plan reaches the goal.
  uint64_t fewest_bytes() {
    search(0, 0);
    return best_;
  }

 private:
  void search(PgIndex pg, uint64_t bytes) {
    if (bytes >= best_) return;
    if (pg == s_.num_pgs()) {
      for (size_t i = 0; i < use_.size(); i++)
        if (touched_[i] && use_[i] > cap_[i]) return;
      best_ = bytes;
      return;
    }
    search(pg + 1, bytes);
    const auto up = s_.up_of(pg);
    for (size_t i = 0; i < up.size(); i++)
      for (OsdId to = 0; to < static_cast<OsdId>(use_.size()); to++)
        if (is_allowed(pg, i, to)) try_move(pg, i, to, bytes);
  }
  void try_move(PgIndex pg, size_t i, OsdId to, uint64_t bytes) {
    const OsdId from = s_.up_of(pg)[i];
    const uint64_t size = s_.bytes_of(pg)[i];
    const int before = touched_[to];
    use_[from] -= size;
    use_[to] += size;
    touched_[to] = 1;
    search(pg + 1, bytes + size);
    touched_[to] = before;
    use_[from] += size;
    use_[to] -= size;
  }
  bool is_allowed(PgIndex pg, size_t i, OsdId to) const {
    const auto now = s_.up_of(pg);
    std::vector<OsdId> up(now.begin(), now.end());
    if (up[i] == to) return false;
    up[i] = to;
    std::set<int> hosts;
    for (OsdId osd : up)
      if (!hosts.insert(case_.host[osd]).second) return false;
    return upmap_items(s_.raw_of(pg), up, s_.pools.at(1).info.is_erasure()).has_value();
  }

  const Case& case_;
  const State& s_;
  std::vector<uint64_t> use_, cap_;
  std::vector<int> touched_;
  uint64_t best_ = UINT64_MAX;
};

void expect_safe(const Case& c, const Plan& plan) {
  const State end = after(c.state, plan);
  std::set<PgId> changed;
  for (const Move& m : plan.moves) {
    EXPECT_TRUE(changed.insert(m.pg).second);
    const uint64_t cap =
        static_cast<uint64_t>(c.goal.to * static_cast<double>(end.devices[m.to].size));
    if (plan.reaches_goal) EXPECT_LE(end.devices[m.to].used, cap);
    std::set<int> hosts;
    for (OsdId osd : end.up_of(end.find(m.pg))) EXPECT_TRUE(hosts.insert(c.host[osd]).second);
  }
}

/// In each wave all its data comes before anything of it goes.
void expect_below_peak(const Case& c, const Plan& plan) {
  std::vector<uint64_t> use;
  for (const Device& d : c.state.devices) use.push_back(d.used);
  for (size_t i = 0, first = 0; i < plan.moves.size(); i++) {
    const Move& m = plan.moves[i];
    if (m.wave != plan.moves[first].wave)
      for (; first < i; first++) use[plan.moves[first].from] -= plan.moves[first].bytes;
    use[m.to] += m.bytes;
    EXPECT_LE(static_cast<double>(use[m.to]),
              c.goal.peak_limit * static_cast<double>(c.state.devices[m.to].size));
  }
}

TEST(AgainstExhaustiveSearch, ReachesWhatCanBeReached) {
  int possible = 0, reached = 0, best = 0;
  uint64_t ours = 0, least = 0;
  for (uint64_t seed = 0; seed < 600; seed++) {
    Rng rng(seed);
    const Case c = random_case(rng);
    const auto plan = make_plan(c.state, c.goal);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(make_plan(c.state, c.goal)->moves, plan->moves);
    expect_safe(c, *plan);
    expect_below_peak(c, *plan);
    const uint64_t fewest = Exhaustive(c).fewest_bytes();
    if (plan->reaches_goal) {
      ASSERT_NE(fewest, UINT64_MAX) << "seed " << seed << ": a plan that cannot be";
      EXPECT_GE(plan->bytes, fewest) << "seed " << seed;
      EXPECT_GE(plan->bytes, plan->lower_bound) << "seed " << seed;
    }
    if (fewest == UINT64_MAX || fewest == 0) continue;
    EXPECT_GE(fewest, plan->lower_bound) << "seed " << seed;
    possible++;
    if (!plan->reaches_goal) continue;
    reached++;
    ours += plan->bytes;
    least += fewest;
    best += plan->bytes == fewest;
    EXPECT_LE(plan->bytes, 3 * fewest) << "seed " << seed;
  }
  fmt::print("{} can be reached, {} are, {} with the fewest bytes; {:.3f} of the least bytes\n",
             possible, reached, best, static_cast<double>(ours) / static_cast<double>(least));
  EXPECT_GT(possible, 150);
  EXPECT_GE(reached * 100, possible * 90);
  EXPECT_LE(static_cast<double>(ours), 1.1 * static_cast<double>(least));
}

}  // namespace
}  // namespace plimsoll::mover
