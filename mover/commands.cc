// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <cstdio>

#include "common/command/format.h"
#include "common/command/version.h"
#include "common/daemon/tool_files.h"
#include "mover/arguments.h"
#include "mover/check/check.h"
#include "mover/check/map_with_plan.h"
#include "mover/findings.h"
#include "mover/gather.h"
#include "mover/goal_options.h"
#include "mover/model/dump_writer.h"
#include "mover/model/state_builder.h"
#include "mover/report.h"
#include "mover/simulate.h"

namespace plimsoll::mover {

namespace {

void print(const std::string& text) {
  // A reader that closes the pipe early (head) is no error of ours.
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void warn(const std::string& text) {
  fmt::print(stderr, "warning: {}\n", text);
}

Result<> write_file(const std::string& path, std::string_view text) {
  TRY(sink, daemon::open_output(path));
  TRY_VOID(sink->write(text));
  return sink->finish();
}

/// From --dump, or live.
Result<Dump> dump_of(const Arguments& a) {
  if (a.has("dump")) return load_dump(a.text("dump"));
  Cluster::Who who;
  who.conf = a.text("conf");
  who.name = a.has("id") ? "client." + a.text("id") : a.text("name", who.name);
  TRY(cluster, Cluster::connect(who));
  return gather(*cluster);
}

Result<> expect_words(const Arguments& a, size_t count, const char* what) {
  if (a.words().size() != count) return fail(EINVAL, fmt::format("{} wants {}", a.command(), what));
  return {};
}

Result<PlanFile> plan_file_of(const Arguments& a) {
  TRY_VOID(expect_words(a, 1, "a plan file"));
  TRY(source, daemon::open_input(a.words()[0]));
  return read_plan_file(*source, a.words()[0]);
}

// ---- how a plan is printed ----------------------------------------------------------------------

/// What a cluster would do against the plan's entries. `refusals`: it would drop or undo them.
struct Obstacles {
  std::vector<std::string> refusals, warnings;
};

/// How many clean PGs are elsewhere than our CRUSH says, and how many are clean. Many would mean
/// that the map is not understood.
std::pair<size_t, size_t> clean_pgs_astray(const State& state) {
  size_t astray = 0, clean = 0;
  for (PgIndex pg = 0; pg < state.num_pgs(); pg++) {
    if (!(state.pg_flags[pg] & kPgIsClean)) continue;
    clean++;
    astray += !std::ranges::equal(state.up_of(pg), state.acting_of(pg));
  }
  return {astray, clean};
}

Obstacles obstacles_of(const Dump& dump, const State& state) {
  constexpr uint8_t kLuminous = 12;
  Obstacles out;
  if (dump.map.require_min_compat_client < kLuminous)
    out.refusals.push_back(
        "the cluster refuses upmap entries until `ceph osd "
        "set-require-min-compat-client luminous`");
  if (dump.balancer_active)
    out.refusals.push_back(
        "the manager's balancer is on in upmap mode and would work against "
        "the plan: `ceph balancer off`");
  const auto [astray, clean] = clean_pgs_astray(state);
  if (astray)
    out.warnings.push_back(
        fmt::format("{} of {} clean PGs are not where the map of epoch {} wants "
                    "them: reports and map are of different times",
                    astray, clean, state.epoch));
  for (const std::string& flag : state.stopping_flags)
    out.warnings.push_back(
        fmt::format("the flag {} is set: nothing moves until it is unset", flag));
  return out;
}

Result<> print_plan(const Arguments& a, const PlanFile& file, const map::OSDMap* map) {
  const std::string format = a.text("format", "plain");
  if (format == "ceph") return print(print_commands(file)), Result<>();
  if (format == "json") return print(print_plan_file(file)), Result<>();
  auto parsed = command::parse_format(format);
  if (!parsed)
    return fail(EINVAL,
                fmt::format("--format: plain, json, json-pretty or ceph, not '{}'", format));
  if (*parsed == command::Format::kJsonPretty)
    print(command::print(boost::json::parse(print_plan_file(file)), *parsed));
  else
    print(print_report(file, map, {a.has("explain"), a.has("diff")}));
  return {};
}

// ---- commands -----------------------------------------------------------------------------------

Result<int> gather_command(const Arguments& a) {
  TRY_VOID(expect_words(a, 1, "a file to write, or -"));
  TRY(dump, dump_of(a));
  for (const std::string& warning : dump.warnings) warn(warning);
  TRY(sink, daemon::open_output(a.words()[0]));
  TRY_VOID(write_dump(dump, *sink));
  TRY_VOID(sink->finish());
  return kExitDone;
}

Result<int> plan_command(const Arguments& a) {
  TRY_VOID(goal_kind_of(a));  // before a cluster is asked
  TRY(dump, dump_of(a));
  TRY(goal, goal_of(a, dump.map));
  TRY_VOID(add_options(a, dump));
  for (const std::string& warning : dump.warnings) warn(warning);
  const State state = build_state(dump);
  const Obstacles obstacles = obstacles_of(dump, state);
  if (a.text("format") == "ceph" && !obstacles.refusals.empty() && !a.has("force"))
    return fail(EPERM, obstacles.refusals[0] + " (--force prints the commands all the same)");
  for (const auto* list : {&obstacles.refusals, &obstacles.warnings})
    for (const std::string& text : *list) warn(text);
  TRY(plan, make_plan(state, goal));
  const PlanFile file{dump.map.fsid, dump.map.pool_names, std::move(plan)};
  if (a.has("output")) TRY_VOID(write_file(a.text("output"), print_plan_file(file)));
  TRY_VOID(print_plan(a, file, &dump.map));
  return file.plan.reaches_goal ? kExitDone : kExitGoalNotReached;
}

Result<int> show_command(const Arguments& a) {
  TRY(file, plan_file_of(a));
  if (!a.has("dump")) {
    TRY_VOID(print_plan(a, file, nullptr));
    return kExitDone;
  }
  TRY(dump, load_dump(a.text("dump")));
  TRY_VOID(print_plan(a, file, &dump.map));
  return kExitDone;
}

Result<int> check_command(const Arguments& a) {
  TRY(file, plan_file_of(a));
  TRY(dump, dump_of(a));
  const Report report = check_plan(dump, build_state(dump), file.plan, file.fsid);
  TRY(format, command::parse_format(a.text("format")));
  print(format == command::Format::kPlain ? print_findings(report)
                                          : command::print(dump_findings(report), format) + "\n");
  if (a.has("output")) {
    const Bytes map = encoded_map_with_plan(dump.map, file.plan);
    TRY_VOID(write_file(a.text("output"), map.view()));
  }
  return report.refused() ? kExitRefused : report.warnings.empty() ? kExitDone : kExitWarnings;
}

Result<int> simulate_command(const Arguments& a) {
  TRY(file, plan_file_of(a));
  TRY(dump, dump_of(a));
  const std::string before = print_summary(build_state(dump));
  TRY_VOID(apply_plan(file, dump));
  print("before:\n" + before + "after:\n" + print_summary(build_state(dump)));
  if (!a.has("output")) return kExitDone;
  TRY(sink, daemon::open_output(a.text("output")));
  TRY_VOID(write_dump(dump, *sink));
  TRY_VOID(sink->finish());
  return kExitDone;
}

constexpr struct {
  const char* name;
  Result<int> (*run)(const Arguments&);
} kCommands[] = {{"gather", gather_command},
                 {"plan", plan_command},
                 {"show", show_command},
                 {"check", check_command},
                 {"simulate", simulate_command}};

Result<int> dispatch(const std::vector<std::string>& args) {
  TRY(arguments, Arguments::parse(args));
  if (arguments.has("version")) return print(fmt::format("{}\n", kVersionText)), 0;
  if (arguments.has("help")) return print(usage()), 0;
  for (const auto& command : kCommands)
    if (arguments.command() == command.name) return command.run(arguments);
  if (arguments.command() == "apply")
    return fail(EOPNOTSUPP,
                "this version plans and applies nothing: `show PLAN -f ceph` prints "
                "the commands");
  return fail(EINVAL,
              arguments.command().empty()
                  ? "no command; --help lists them"
                  : fmt::format("unknown command '{}'; --help lists them", arguments.command()));
}

}  // namespace

int run(int argc, char** argv) {
  auto code = dispatch(std::vector<std::string>(argv + 1, argv + argc));
  if (code) return *code;
  fmt::print(stderr, "plimsoll-mover: {}\n", code.error().to_string());
  return kExitError;
}

}  // namespace plimsoll::mover
