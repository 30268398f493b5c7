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
  size_t kills = 0;
  Duration virtual_time{0};
  std::vector<std::string> wrong;  ///< empty: the run is good
};

struct Scenario {
  const char* name;
  const char* help;
};
const std::vector<Scenario>& scenarios();

/// CHECKs that the name is one of scenarios(). `verbose`: the daemons' log to stderr. `trace`:
/// every event into it; may be null.
Report run_scenario(const std::string& name, uint64_t seed, bool verbose, std::FILE* trace);

}  // namespace plimsoll::sim
