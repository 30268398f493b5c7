// SPDX-License-Identifier: LGPL-2.1-or-later
// Groups: devices that can take from each other, since some rule's root holds both (or a chain of
// such). Means are of a group, and a goal is feasible or not for a group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "mover/plan/book.h"

namespace plimsoll::mover {

struct Group {
  std::vector<OsdId> osds;  ///< ascending, all of known size
  std::string name;         ///< of its roots: "default~hdd"
  uint64_t size = 0;
  uint64_t final_ = 0;  ///< before the plan
  /// The goal cannot be reached by all: there is not enough room below the limit.
  bool too_full = false;
  double mean() const { return size ? static_cast<double>(final_) / static_cast<double>(size) : 0; }
};

/// Finds the groups, and sets Row::group. Devices below no root of a pool have none.
std::vector<Group> find_groups(Book& book);

/// Sets source, aim and limit of every row by the goal, and too_full of every group.
void set_limits(Book& book, std::vector<Group>& groups);

/// The fill that the goal asks of a source, where set_limits() may have settled for more.
double goal_fill(const Book& book, const std::vector<Group>& groups, OsdId osd);

}  // namespace plimsoll::mover
