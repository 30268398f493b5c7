// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-mover-plan-bench DUMP relieve|relieve-largest|balance: the CPU time of each step from a
// dump to a checked plan, as one JSON object. One thread, so it is what a quiet machine takes.
#include <fmt/format.h>

#include <ctime>
#include <map>
#include <string>

#include "mover/check/check.h"
#include "mover/gather.h"
#include "mover/model/state_builder.h"

namespace {

using namespace plimsoll;

class Stopwatch {
 public:
  /// Milliseconds since it was asked last.
  double lap() {
    const std::clock_t now = std::clock();
    const double ms = 1000.0 * static_cast<double>(now - last_) / CLOCKS_PER_SEC;
    last_ = now;
    return ms;
  }

 private:
  std::clock_t last_ = std::clock();
};

template <class T>
T must(Result<T> r) {
  CHECK_NOTE(r.has_value(), r ? "" : r.error().text().c_str());
  return std::move(*r);
}

}  // namespace

int main(int argc, char** argv) {
  mover::Goal relieve, largest, balance;
  largest.selection = mover::Selection::kLargest;
  balance.kind = mover::GoalKind::kBalance;
  const std::map<std::string, mover::Goal> goals{
      {"relieve", relieve}, {"relieve-largest", largest}, {"balance", balance}};
  if (argc != 3 || !goals.count(argv[2])) {
    fmt::print(stderr, "usage: {} DUMP relieve|relieve-largest|balance\n", argv[0]);
    return 1;
  }
  Stopwatch watch;
  const mover::Dump dump = must(mover::load_dump(argv[1]));
  const double read = watch.lap();
  const mover::State state = mover::build_state(dump);
  const double model = watch.lap();
  const mover::Plan plan = must(mover::make_plan(state, goals.at(argv[2])));
  const double planning = watch.lap();
  const mover::Report report = mover::check_plan(dump, state, plan);
  const double check = watch.lap();
  fmt::print(
      "{{\"read_ms\":{:.1f},\"model_ms\":{:.1f},\"plan_ms\":{:.1f},\"check_ms\":{:.1f},"
      "\"refusals\":{},\"moves\":{},\"bytes\":{},\"lower_bound\":{},\"reaches_goal\":{}}}\n",
      read, model, planning, check, report.refusals.size(), plan.moves.size(), plan.bytes,
      plan.lower_bound, plan.reaches_goal);
  return 0;
}
