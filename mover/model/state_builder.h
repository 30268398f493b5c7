// SPDX-License-Identifier: LGPL-2.1-or-later
// From a Dump to the planner's State. Where PGs belong (raw, up) is computed from the map, so it is
// exact and of one epoch whatever the reports say; who has them now (acting) is as reported.
#pragma once

#include "mover/model/dump.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

State build_state(const Dump& dump);

/// Fills shard_bytes, and `fixed` of the devices (shard_sizes.cc). An OSD that says what each
/// replica has allocated is believed. For others a shard is estimated from its PG's statistics,
/// and the estimates are scaled so that an OSD's shards sum up to the data it reports.
void size_shards(const Dump& dump, State& state);

}  // namespace plimsoll::mover
