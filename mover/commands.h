// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands of plimsoll-mover.
#pragma once

namespace plimsoll::mover {

enum ExitCode {
  kExitDone = 0,
  kExitError = 1,           ///< in the input or the command line
  kExitGoalNotReached = 2,  ///< the plan is printed all the same
  kExitWarnings = 3,        ///< of check
  kExitRefused = 4,         ///< by check
};

/// The whole program.
int run(int argc, char** argv);

}  // namespace plimsoll::mover
