// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of plimsoll-sim.
#pragma once

#include <optional>

#include "qa/sim/scenarios.h"

namespace plimsoll::sim {

/// What is planted, and how it is found.
struct PlantRow {
  const char* name;
  Plant plant;
  const char* finder;  ///< begins the line that must come; "": any, or that the run dies
  const char* help;
};

struct Job {
  std::string scenario;
  uint64_t seed;
};

struct Options {
  std::vector<std::string> scenarios;
  std::vector<Job> jobs;
  Duration fresh_for{0};  ///< real time for fresh seeds of all scenarios in turn
  bool twice = false;
  const PlantRow* plant = nullptr;
  RunOptions run;
};

/// nullopt where they cannot be understood.
std::optional<Options> parse_options(int argc, char** argv);
int usage();
/// From the system's randomness.
uint64_t fresh_seed();

}  // namespace plimsoll::sim
