// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "mover/check/check_moves.h"
#include "mover/check/check_space.h"

namespace plimsoll::mover {

namespace {

constexpr uint8_t kLuminous = 12;

void check_cluster(const Dump& dump, const State& state, const Plan& plan, Uuid made_for,
                   Report& report) {
  auto refuse = [&](Fault fault, std::string text) {
    report.refuse({fault, {-1, 0}, kNoOsd, std::move(text)});
  };
  if (!made_for.is_zero() && made_for != dump.map.fsid)
    refuse(Fault::kOtherCluster, fmt::format("made for cluster {}, this is {}",
                                             made_for.to_string(), dump.map.fsid.to_string()));
  if (dump.map.require_min_compat_client < kLuminous)
    refuse(Fault::kOldClients,
           fmt::format("require_min_compat_client is release {}, upmap entries need {}",
                       dump.map.require_min_compat_client, kLuminous));
  if (dump.balancer_active) refuse(Fault::kBalancer, "the manager's balancer is on");
  if (plan.epoch != dump.map.epoch)
    report.warn({Fault::kOtherEpoch,
                 {-1, 0},
                 kNoOsd,
                 fmt::format("made at epoch {}, the map is at {}", plan.epoch, dump.map.epoch)});
  if (!state.stopping_flags.empty())
    report.warn(
        {Fault::kDataStopped,
         {-1, 0},
         kNoOsd,
         fmt::format("nothing moves while {} is set", fmt::join(state.stopping_flags, ", "))});
}

}  // namespace

Report check_plan(const Dump& dump, const State& state, const Plan& plan, Uuid made_for) {
  Report report;
  check_cluster(dump, state, plan, made_for, report);
  MoveChecker moves(dump, plan, report);
  moves.check_moves();
  moves.check_dead_entries();
  SpaceChecker space(state, plan, report);
  space.check_waves();
  space.check_totals();
  space.check_goal();
  return report;
}

}  // namespace plimsoll::mover
