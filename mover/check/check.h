// SPDX-License-Identifier: LGPL-2.1-or-later
// check_plan(): is a plan safe to carry out, and does it do what it says? The second opinion: it
// shares no code with the planner. Every entry is put into a copy of the map and mapped; rules are
// judged by walking CRUSH again; space is added up wave by wave; totals are computed anew. Pure.
#pragma once

#include "mover/check/report.h"
#include "mover/model/dump.h"
#include "mover/plan/plan.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

/// `state` was made of `dump`: now, not when the plan was made. `made_for`: the cluster that the
/// plan says it is for; zero where it does not say.
Report check_plan(const Dump& dump, const State& state, const Plan& plan, Uuid made_for = {});

}  // namespace plimsoll::mover
