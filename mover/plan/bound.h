// SPDX-License-Identifier: LGPL-2.1-or-later
// Lower bounds: what any plan copies that reaches a goal. They ignore rules and room, so they hold
// for every plan, and a plan that meets one cannot be better.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "mover/plan/groups.h"

namespace plimsoll::mover {

/// At most this; the true least sum of shards that is at least `need`, where the search is small
/// enough to be exact. `need` where all shards together have less.
uint64_t least_cover(std::span<const uint64_t> ascending, uint64_t need);

/// Of the goal itself, before any move: what has to leave sources, or to reach targets, whichever
/// is more.
uint64_t lower_bound(const Book& book, const std::vector<Group>& groups);

}  // namespace plimsoll::mover
