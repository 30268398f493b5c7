// SPDX-License-Identifier: LGPL-2.1-or-later
// What the checker says of each move by itself: that its entry does what the plan says, keeps the
// CRUSH rule and survives in a monitor, and that PG and target are fit for it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "mover/check/monitor_view.h"
#include "mover/check/report.h"
#include "mover/check/rule_judge.h"
#include "mover/model/dump.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

class MoveChecker {
 public:
  /// All outlive this.
  MoveChecker(const Dump& dump, const Plan& plan, Report& report);
  void check_moves();
  void check_dead_entries();

 private:
  void check(const Move& move);
  /// False: nothing more can be said of the move.
  bool check_names(const Move& move);
  void check_entry(const Move& move, const std::vector<OsdId>& before);
  void check_pg(const Move& move, const std::vector<OsdId>& before);
  void check_target(const Move& move);
  void refuse(const Move& move, Fault fault, std::string text, OsdId osd = kNoOsd);
  const RuleJudge& judge_of(PoolId pool);

  const Dump& dump_;
  const Plan& plan_;
  Report& report_;
  const map::OSDMap with_;  ///< the map with all entries of the plan
  MonitorView monitor_;
  std::map<PoolId, RuleJudge> judges_;
  std::set<PgId> seen_;
};

}  // namespace plimsoll::mover
