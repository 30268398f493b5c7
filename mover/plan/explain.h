// SPDX-License-Identifier: LGPL-2.1-or-later
// Sentences about a plan: what stayed and why, and what would help, with names and numbers.
#pragma once

#include <vector>

#include "mover/plan/groups.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

/// Devices that stay short of the goal, with the cause that most of their shards had.
std::vector<Blocked> explain_blocked(Book& book, const std::vector<Group>& groups,
                                     bool limit_reached);
/// A move by hand that was refused.
Blocked explain_refusal(const Book& book, Block block);
/// What makes possible what was blocked.
std::vector<Advice> make_advice(Book& book, const std::vector<Group>& groups,
                                const std::vector<Blocked>& blocked);

}  // namespace plimsoll::mover
