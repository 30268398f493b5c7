// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan for people, and as commands for a shell.
#pragma once

#include "mover/plan_file.h"

namespace plimsoll::mover {

struct ReportStyle {
  bool explain = false;  ///< say what each move is for
  bool diff = false;     ///< entries before and after instead of moves
};
/// With a map the moves show device classes and the domains that a shard leaves and enters.
std::string print_report(const PlanFile& file, const map::OSDMap* map, ReportStyle style);

/// `ceph osd pg-upmap-items ...` and `rm-pg-upmap-items`, waves apart by comments: runnable by sh,
/// which stops at the first that fails.
std::string print_commands(const PlanFile& file);

/// "91.2%"
std::string fill_text(double fill);

/// How full devices are: count, fullest, emptiest, mean, how many are above nearfull and so on.
std::string print_summary(const State& state);

}  // namespace plimsoll::mover
