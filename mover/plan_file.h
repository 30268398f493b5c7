// SPDX-License-Identifier: LGPL-2.1-or-later
// A plan as a JSON file (doc/formats/mover_plan.md): one line a move, so that two plans can be
// compared with diff; the same plan gives the same bytes. Numbers survive exactly.
#pragma once

#include "common/base/stream.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

struct PlanFile {
  Uuid fsid;  ///< the cluster that it is for
  std::map<PoolId, std::string> pools;
  Plan plan;
};

std::string print_plan_file(const PlanFile& file);
/// EINVAL names the key and byte, or the move, that is wrong: an unknown word, a PG that moves
/// twice, waves out of order, an entry of too many pairs.
Result<PlanFile> read_plan_file(ByteSource& source, std::string name);

// Names in files and options.
const char* goal_name(GoalKind kind);
std::optional<GoalKind> goal_from(std::string_view name);
const char* selection_name(Selection selection);
std::optional<Selection> selection_from(std::string_view name);
const char* why_name(Why why);

}  // namespace plimsoll::mover
