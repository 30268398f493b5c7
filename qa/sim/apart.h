// SPDX-License-Identifier: LGPL-2.1-or-later
// A run in a process of its own: a CHECK that fails ends that run only, and what killed daemons
// leave behind goes with it.
#pragma once

#include "qa/sim/options.h"

namespace plimsoll::sim {

struct Outcome {
  bool good = false;  ///< nothing is wrong, and the same seed gives the same
  bool found = false; ///< what is planted
  Duration virtual_time{0};
};

/// Prints a line for the run, and what went wrong.
Outcome run_apart(const Options& options, const Job& job);

}  // namespace plimsoll::sim
