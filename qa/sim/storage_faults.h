// SPDX-License-Identifier: LGPL-2.1-or-later
// What is wrong with a host's disks besides that it may be killed. Shared by all that is open
// there; a scenario may change it at any time.
#pragma once

#include "common/rt/clock.h"

namespace plimsoll::sim {

struct StorageFaults {
  /// More time that each commit and durable write takes, at least half of it: an acknowledgement
  /// before it gets far ahead of it.
  Duration slow{0};
  /// Planted, for a scenario that must notice: these are acknowledged when they are ordered.
  bool answers_early = false;
  /// Chance that a read of a block file fails.
  double read_error = 0;
  /// Nothing more fits on the host: batches spend the ballast, then wait or fail.
  bool host_full = false;
};

}  // namespace plimsoll::sim
