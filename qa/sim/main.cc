// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-sim: runs scenarios under seeds; prints one line for each run, with its event hash. Exit
// code 1 where a run went wrong, or where a repeated seed gave another hash. With --plant it is the
// other way round: a run must go wrong, and by the checker that is meant to notice.
#include <fmt/format.h>

#include <chrono>

#include "qa/sim/apart.h"

namespace {

using namespace plimsoll;
using namespace plimsoll::sim;
using std::chrono::steady_clock;

struct Sum {
  size_t runs = 0;
  size_t wrong = 0;
  Duration virtual_time{0};
};

/// False where it is time to stop.
bool run(const Options& options, const Job& job, Sum& sum) {
  const Outcome out = run_apart(options, job);
  sum.runs++;
  sum.virtual_time += out.virtual_time;
  if (options.plant) return !out.found;
  if (out.good) return true;
  sum.wrong++;
  fmt::print("  again, at commit {}: plimsoll-sim --scenario {} --seed {}\n",
             PLIMSOLL_SIM_COMMIT, job.scenario, job.seed);
  return true;
}

bool run_all(const Options& options, Sum& sum) {
  const auto end = steady_clock::now() + options.fresh_for;
  for (const Job& job : options.jobs)
    if (!run(options, job, sum)) return false;
  for (size_t i = 0; steady_clock::now() < end; i++)
    if (!run(options, {options.scenarios[i % options.scenarios.size()], fresh_seed()}, sum))
      return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = parse_options(argc, argv);
  if (!options) return usage();
  const auto start = steady_clock::now();
  Sum sum;
  const bool all = run_all(*options, sum);
  const std::chrono::duration<double> real = steady_clock::now() - start;
  const double virtual_seconds = sum.virtual_time.count() * 1e-9;
  fmt::print("{} runs, {} wrong; {:.0f} virtual seconds in {:.0f} s, {:.0f} per second; commit "
             "{}\n",
             sum.runs, sum.wrong, virtual_seconds, real.count(), virtual_seconds / real.count(),
             PLIMSOLL_SIM_COMMIT);
  if (options->plant)
    fmt::print("{} is {}\n", options->plant->name,
               all ? "not found" : fmt::format("found by run {}", sum.runs));
  return options->plant ? all : sum.wrong > 0;
}
