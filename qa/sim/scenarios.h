// SPDX-License-Identifier: LGPL-2.1-or-later
// Scenarios: a cluster, a workload and the faults between them, all drawn from one seed. When the
// faults end, every operation must come to its end, every daemon be up, every answer be explained.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "qa/sim/world.h"

namespace plimsoll::sim {

struct Report {
  uint64_t hash = 0;
  size_t operations = 0;
  size_t unanswered = 0;  ///< of these: changes of clients that were killed or lost patience
  size_t faults = 0;
  Duration virtual_time{0};
  std::vector<std::string> wrong;  ///< empty: the run is good
};

struct Scenario {
  const char* name;
  const char* help;
};
const std::vector<Scenario>& scenarios();

/// A bug that must be noticed.
enum class Plant {
  kNone,
  kEarlyDisk,   ///< OSDs' disks acknowledge early
  kAckAlone,    ///< OSDs acknowledge a write that they alone have
  kLogLost,     ///< OSDs forget now and then to store a log entry with its write
  kLendTwice,   ///< OSDs forget loans now and then, and lend the same space again
  kEpochCheck,  ///< OSDs carry out what was sent before its pool was full
};

struct RunOptions {
  bool verbose = false;        ///< the daemons' log to stderr
  std::FILE* trace = nullptr;  ///< every event into it
  Plant plant = Plant::kNone;
};

/// CHECKs that the name is one of scenarios().
Report run_scenario(const std::string& name, uint64_t seed, const RunOptions& options);

}  // namespace plimsoll::sim
