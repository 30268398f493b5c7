// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>

namespace plimsoll::sim {

namespace {

constexpr PlantRow kPlants[] = {
    {"early-disk", Plant::kEarlyDisk, "", "disks acknowledge early"},
    {"early-ack", Plant::kAckAlone, "", "primaries acknowledge before replicas have it"},
    {"log-lost", Plant::kLogLost, "", "log entries are not stored with their data"},
    {"lend-twice", Plant::kLendTwice, "space: ", "space is lent twice"},
    {"epoch-check", Plant::kEpochCheck, "order: ", "what was sent before full is carried out"},
};

struct Seeds {
  std::vector<uint64_t> named;
  uint64_t first = 0;
  int fresh = 0;
};

bool set_debug(const std::string& text) {
  const size_t equal = text.find('=');
  for (size_t i = 0; i < static_cast<size_t>(log::Subsystem::kCount); i++) {
    if (text.substr(0, equal) != log::subsystem_name(static_cast<log::Subsystem>(i))) continue;
    log::debug_level[i] = equal == text.npos ? 20 : std::atoi(text.c_str() + equal + 1);
    return true;
  }
  return false;
}

bool set_plant(Options& out, const std::string& name) {
  for (const PlantRow& row : kPlants)
    if (row.name == name) out.plant = &row;
  if (out.plant) out.run.plant = out.plant->plant;
  return out.plant != nullptr;
}

bool is_scenario(const std::string& name) {
  return std::ranges::any_of(scenarios(), [&](const Scenario& s) { return name == s.name; });
}

bool add_scenario(Options& out, const std::string& name) {
  if (name != "all") return out.scenarios.push_back(name), is_scenario(name);
  for (const auto& s : scenarios()) out.scenarios.emplace_back(s.name);
  return true;
}

/// Lines of "scenario seed what it was"; '#' begins a comment.
bool add_regressions(Options& out, const std::string& path) {
  std::ifstream file(path);
  if (!file) return false;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    Job job;
    std::istringstream words(line);
    if (!(words >> job.scenario >> job.seed) || !is_scenario(job.scenario)) return false;
    out.jobs.push_back(std::move(job));
  }
  return true;
}

bool take(Options& out, Seeds& seeds, const std::string& name, const char* value) {
  if (name == "--scenario") return add_scenario(out, value);
  if (name == "--regressions") return add_regressions(out, value);
  if (name == "--plant") return set_plant(out, value);
  if (name == "--debug") return set_debug(value);
  if (name == "--seed") seeds.named.push_back(std::strtoull(value, nullptr, 10));
  else if (name == "--first") seeds.first = std::strtoull(value, nullptr, 10);
  else if (name == "--fresh") seeds.fresh = std::atoi(value);
  else if (name == "--fresh-for") out.fresh_for = Duration(1s) * std::atoi(value);
  else if (name == "--trace") out.run.trace = std::fopen(value, "w");
  else return false;
  return true;
}

void add_jobs(Options& out, Seeds seeds) {
  for (uint64_t seed = 1; seed <= seeds.first; seed++) seeds.named.push_back(seed);
  for (const auto& scenario : out.scenarios) {
    for (const uint64_t seed : seeds.named) out.jobs.push_back({scenario, seed});
    for (int i = 0; i < seeds.fresh; i++) out.jobs.push_back({scenario, fresh_seed()});
  }
}

}  // namespace

uint64_t fresh_seed() {
  static std::random_device device;
  return device();
}

std::optional<Options> parse_options(int argc, char** argv) {
  Options out;
  Seeds seeds;
  for (int i = 1; i < argc; i++) {
    const std::string arg = argv[i];
    if (arg == "--twice") out.twice = true;
    else if (arg == "--verbose") out.run.verbose = true;
    else if (i + 1 == argc || !take(out, seeds, arg, argv[++i])) return std::nullopt;
  }
  add_jobs(out, std::move(seeds));
  if (out.jobs.empty() && (out.fresh_for == 0ns || out.scenarios.empty())) return std::nullopt;
  return out;
}

int usage() {
  fmt::print(stderr,
             "usage: plimsoll-sim (--scenario NAME|all)... [--seed N]... [--first N] [--fresh N] "
             "[--fresh-for S]\n"
             "         [--regressions FILE] [--twice] [--plant BUG] [--verbose] "
             "[--debug SUBSYSTEM=LEVEL] [--trace FILE]\n"
             "  --first N        the seeds from 1 to N\n"
             "  --fresh N        also N seeds from the system's randomness\n"
             "  --fresh-for S    such seeds, the scenarios in turn, for S seconds\n"
             "  --regressions F  the runs that F names, one a line\n"
             "  --twice          run each seed twice and compare the hashes\n"
             "  --trace F        every event into a file, to compare runs by diff\n"
             "  --plant B        with a bug; the first run that finds it is the last\n");
  for (const auto& p : kPlants) fmt::print(stderr, "    {:<14} {}\n", p.name, p.help);
  fmt::print(stderr, "scenarios:\n");
  for (const auto& s : scenarios()) fmt::print(stderr, "  {:<12} {}\n", s.name, s.help);
  return 2;
}

}  // namespace plimsoll::sim
