// SPDX-License-Identifier: LGPL-2.1-or-later
// The cluster as it will be when a plan is done: its entries in the map, its shards where they go.
#pragma once

#include "mover/model/dump.h"
#include "mover/plan_file.h"

namespace plimsoll::mover {

/// EINVAL names the move that does not fit the dump: another cluster, a PG that is gone, an entry
/// that has changed, a device that does not have the PG.
Result<> apply_plan(const PlanFile& file, Dump& dump);

}  // namespace plimsoll::mover
