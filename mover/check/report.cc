// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/report.h"

#include "common/base/assert.h"

namespace plimsoll::mover {

const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::kUnknownPg:
      return "unknown-pg";
    case Fault::kUnknownOsd:
      return "unknown-osd";
    case Fault::kSameOsd:
      return "same-osd";
    case Fault::kPgTwice:
      return "pg-twice";
    case Fault::kNotAtPosition:
      return "not-at-position";
    case Fault::kEntryChanged:
      return "entry-changed";
    case Fault::kUpNotAsPlanned:
      return "up-not-as-planned";
    case Fault::kRuleBroken:
      return "rule-broken";
    case Fault::kRuleNotUnderstood:
      return "rule-not-understood";
    case Fault::kMonitorDrops:
      return "monitor-drops";
    case Fault::kDeadPair:
      return "dead-pair";
    case Fault::kPgUnhealthy:
      return "pg-unhealthy";
    case Fault::kPgMoving:
      return "pg-moving";
    case Fault::kPgPinned:
      return "pg-pinned";
    case Fault::kPoolSplitting:
      return "pool-splitting";
    case Fault::kLastCopy:
      return "last-copy";
    case Fault::kTargetUnfit:
      return "target-unfit";
    case Fault::kOutsideGoal:
      return "outside-goal";
    case Fault::kTargetOverLimit:
      return "target-over-limit";
    case Fault::kTooManyBackfills:
      return "too-many-backfills";
    case Fault::kOverBudget:
      return "over-budget";
    case Fault::kSumWrong:
      return "sum-wrong";
    case Fault::kBelowBound:
      return "below-bound";
    case Fault::kGoalMissed:
      return "goal-missed";
    case Fault::kWavesOutOfOrder:
      return "waves-out-of-order";
    case Fault::kDeadEntryWrong:
      return "dead-entry-wrong";
    case Fault::kOtherCluster:
      return "other-cluster";
    case Fault::kOldClients:
      return "old-clients";
    case Fault::kBalancer:
      return "balancer";
    case Fault::kOtherEpoch:
      return "other-epoch";
    case Fault::kDataStopped:
      return "data-stopped";
    case Fault::kSizesDiffer:
      return "sizes-differ";
    case Fault::kNearfull:
      return "nearfull";
    case Fault::kUnreached:
      return "unreached";
  }
  return "unknown";
}

namespace {

void keep(std::vector<Finding>& kept, uint64_t& more, Finding f) {
  if (kept.size() < Report::kMaxFindings)
    kept.push_back(std::move(f));
  else
    more++;
}

}  // namespace

void Report::refuse(Finding f) {
  keep(refusals, more_refusals, std::move(f));
}

void Report::warn(Finding f) {
  keep(warnings, more_warnings, std::move(f));
}

}  // namespace plimsoll::mover
