// SPDX-License-Identifier: LGPL-2.1-or-later
// From the words and options of `plan` to a Goal, and to what the operator adds to the dump.
#pragma once

#include "mover/arguments.h"
#include "mover/model/dump.h"
#include "mover/plan/goal.h"

namespace plimsoll::mover {

/// The first word of `plan`; EINVAL says which there are.
Result<GoalKind> goal_kind_of(const Arguments& arguments);
/// EINVAL or ENOENT names the option or word.
Result<Goal> goal_of(const Arguments& arguments, const map::OSDMap& map);
/// --cordon and --growth.
Result<> add_options(const Arguments& arguments, Dump& dump);

/// "85%", "0.85", "nearfull", "backfillfull", "full".
Result<double> parse_fill(std::string_view text, const map::OSDMap& map);

}  // namespace plimsoll::mover
