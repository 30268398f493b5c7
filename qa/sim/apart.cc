// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/apart.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace plimsoll::sim {

namespace {

bool finds(const Options& options, const std::vector<std::string>& wrong) {
  return options.plant && std::ranges::any_of(wrong, [&](const std::string& w) {
    return w.starts_with(options.plant->finder);
  });
}

Outcome run_here(const Options& options, const Job& job) {
  const auto start = std::chrono::steady_clock::now();
  const Report report = run_scenario(job.scenario, job.seed, options.run);
  const std::chrono::duration<double> real = std::chrono::steady_clock::now() - start;
  Outcome out{report.wrong.empty(), finds(options, report.wrong), report.virtual_time};
  fmt::print("{} seed {}: {} operations ({} unanswered), {} faults, {:.1f} s virtual, {:.1f} s "
             "real, hash {:016x}: {}\n",
             job.scenario, job.seed, report.operations, report.unanswered, report.faults,
             report.virtual_time.count() * 1e-9, real.count(), report.hash,
             out.good ? "ok" : "WRONG");
  for (const auto& w : report.wrong) fmt::print("  {}\n", w);
  if (!options.twice) return out;
  RunOptions quiet = options.run;
  quiet.verbose = false;
  const uint64_t again = run_scenario(job.scenario, job.seed, quiet).hash;
  if (again == report.hash) return out;
  fmt::print("  the same seed gave hash {:016x} next time\n", again);
  out.good = false;
  return out;
}

}  // namespace

Outcome run_apart(const Options& options, const Job& job) {
  int ends[2];
  CHECK(pipe(ends) == 0);
  std::fflush(nullptr);
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    const Outcome out = run_here(options, job);
    std::fflush(nullptr);
    _exit(write(ends[1], &out, sizeof out) == sizeof out ? 0 : 1);
  }
  close(ends[1]);
  Outcome out;
  const bool told = read(ends[0], &out, sizeof out) == sizeof out;
  close(ends[0]);
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  if (told) return out;
  fmt::print("{} seed {}: ended by signal {}: WRONG\n", job.scenario, job.seed, WTERMSIG(status));
  return {.good = false, .found = options.plant && !*options.plant->finder};
}

}  // namespace plimsoll::sim
