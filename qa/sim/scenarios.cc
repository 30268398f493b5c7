// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "qa/sim/adversary.h"
#include "qa/sim/filler.h"

namespace plimsoll::sim {

namespace {

constexpr size_t kFaults = 10, kFaultsOfChurn = 30;
constexpr Duration kUpLimit = 120s;
constexpr Duration kEndLimit = 600s;

struct Row {
  Scenario scenario;
  Faults faults;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"calm", "no faults; everything stopped and started again in order"},
       {.restart_clean = true}},
      {{"shards", "calm, with two shards per OSD"}, {.restart_clean = true, .osd_shards = 2}},
      {{"crash-one", "OSDs are killed one at a time, and clients"},
       {.kill_one = true, .kill_client = true}},
      {{"crash-all", "all daemons are killed at once, and clients"},
       {.kill_all = true, .kill_client = true}},
      {{"crash-mon", "the monitor and OSDs are killed; clients skip maps"},
       {.kill_one = true, .kill_mon = true, .skip_maps = true}},
      {{"net", "streams are reset, links are cut, clients killed"},
       {.kill_client = true, .reset_streams = true, .cut_links = true}},
      {{"wire", "as net; bits flip, streams stall, clocks are off"},
       {.kill_client = true, .reset_streams = true, .cut_links = true, .noise = true}},
      {{"disk", "one OSD's disk rots and fails to read; operations may fail, never lie"},
       {.bad_disk = true}},
      {{"members", "OSDs killed for long, replaced by empty ones, out and in"},
       {.kill_client = true, .members = true}},
      {{"churn", "any OSDs away at any time, disks lost that others make up for, while data moves"},
       {.kill_client = true, .churn = true}},
      {{"lost", "more disks are lost than is tolerated: refuses, does not lie"},
       {.disaster = true}},
      {{"full", "filled and freed while OSDs are killed and streams are reset"},
       {.kill_one = true, .reset_streams = true, .fill = true}},
      {{"full-shards", "filled and freed, with two shards per OSD"},
       {.cut_links = true, .fill = true, .osd_shards = 2}},
      {{"full-lost", "filled and freed while pushed maps are lost, OSDs and the monitor killed"},
       {.kill_one = true, .kill_mon = true, .lose_pushes = true, .skip_maps = true, .fill = true}},
      {{"full-slow", "filled and freed with one slow OSD, while OSDs are called down"},
       {.kill_one = true, .mark_down = true, .slow_replica = true, .fill = true}},
      {{"storm", "crashes, resets, cuts and noise, with two shards per OSD"},
       {.kill_one = true, .kill_mon = true, .kill_all = true, .kill_client = true,
        .reset_streams = true, .cut_links = true, .noise = true, .restart_clean = true,
        .osd_shards = 2}},
  };
  return table;
}

class Run {
 public:
  Run(const Faults& faults, uint64_t seed, const RunOptions& how)
      : faults_(faults),
        world_(seed),
        rng_(world_.rng().fork()),
        overseer_(world_.rng().fork(), plants(how.plant)),
        cluster_(world_, options(faults), overseer_),
        adversary_(cluster_, faults, rng_.fork()) {
    world_.set_verbose(how.verbose);
    world_.hash().trace_to(how.trace);
    for (const auto& osd : cluster_.osd_names())
      world_.host(osd).storage.faults.answers_early = how.plant == Plant::kEarlyDisk;
  }

  Report run() {
    if (!cluster_.create()) wrong("the cluster does not come up");
    else if (faults_.disaster) run_disaster();
    else run_workload();
    report_.operations = history_.operations();
    report_.unanswered = history_.unanswered();
    report_.faults = adversary_.faults();
    for (const auto& w : adversary_.wrong()) wrong(w);
    for (const auto& w : history_.check()) wrong(w);
    for (const auto& f : cluster_.failures()) wrong(f);
    for (const auto& w : overseer_.wrong()) wrong(w);
    if (world_.errors() && !faults_.bad_disk)
      wrong(fmt::format("{} errors in the log", world_.errors()));
    report_.hash = world_.hash().value();
    report_.virtual_time = world_.schedule().now().since_start;
    return std::move(report_);
  }

 private:
  static ClusterOptions options(const Faults& faults) {
    ClusterOptions out;
    out.osd_shards = faults.osd_shards;
    if (faults.members || faults.churn || faults.bad_disk || faults.disaster) {
      out.osds = 4;
      out.pg_num = 4;
    }
    // Logs that soon do not reach back to whoever was away, but do to all requests in flight.
    if (faults.members || faults.churn)
      out.conf = "osd_min_pg_log_entries = 20\nosd_max_pg_log_entries = 20\n";
    if (faults.skip_maps) out.conf += "osd_map_message_max = 1\n";
    if (faults.churn) {
      out.osds = 5;
      out.conf += "osd_recovery_max_chunk = 8K\nmon_osd_down_out_interval = 20\n";
    }
    return out;
  }
  static Plants plants(Plant plant) {
    constexpr double kSometimes = 0.05;
    return {.forgets_loan = plant == Plant::kLendTwice ? kSometimes : 0,
            .forgets_log_entry = plant == Plant::kLogLost ? kSometimes : 0,
            .carries_out_outdated = plant == Plant::kEpochCheck,
            .acks_alone = plant == Plant::kAckAlone};
  }
  void wrong(std::string what) { report_.wrong.push_back(std::move(what)); }

  WorkloadOptions workload_options() {
    WorkloadOptions options;
    constexpr Duration kThink[] = {5ms, 50ms, 500ms};
    options.think = kThink[rng_.below(std::size(kThink))];
    if (!faults_.any()) options.operations = 100;
    if (faults_.churn) options.objects = 30;
    if (faults_.members || faults_.churn || faults_.bad_disk) {
      options.operations = 100'000;
      options.think = 300ms;
    }
    options.eio = faults_.bad_disk;
    return options;
  }
  Workload make_workload(const WorkloadOptions& options) {
    return Workload(cluster_.client_host().runtime(), cluster_.client(), cluster_.pool(), history_,
                    options);
  }

  void run_workload() {
    const WorkloadOptions options = workload_options();
    Workload workload = make_workload(options);
    Filler filler(cluster_.client_host().runtime(), cluster_.client(), cluster_.pool());
    Mortal mortal(cluster_, history_, options);
    workload.start();
    if (faults_.fill) filler.start();
    // Faults come faster where the workload is busy.
    adversary_.begin(mortal, std::min<Duration>(2s, 40 * options.think));
    const size_t most = !faults_.any() ? 0 : faults_.churn ? kFaultsOfChurn : kFaults;
    while (!workload.ended() && adversary_.faults() < most)
      adversary_.one_fault(workload, history_);
    if (faults_.any()) workload.finish();
    adversary_.end();
    if (!cluster_.wait_all_up(kUpLimit)) return wrong("not all daemons come up again");
    if (faults_.fill && !world_.run_until([&] { return filler.turns() > 0; }, kEndLimit))
      return wrong("the pool never was full");
    filler.finish();
    if (!world_.run_until([&] { return workload.ended() && filler.ended(); }, kEndLimit))
      return wrong("operations do not end after the faults: " + cluster_.pg_stat());
    for (const auto& w : filler.wrong()) wrong(w);
    if (faults_.restart_clean) restart_clean();
    if (adversary_.wait_clean()) check_the_end();
  }

  /// Everything works, and everybody has everything.
  void check_the_end() {
    WorkloadOptions options = workload_options();
    options.eio = false;
    Workload reader = make_workload(options);
    world_.run(cluster_.client_host(), reader.read_back(), kEndLimit);
    for (auto& w : cluster_.check_maps()) wrong(std::move(w));
    for (auto& w : cluster_.check_stores()) wrong(std::move(w));
    cluster_.stop_client();
  }

  /// What is left may answer, or not; it must not make anything up.
  void run_disaster() {
    constexpr Duration kBefore = 20s, kAfter = 120s, kPatience = 30s;
    WorkloadOptions options;
    Workload before = make_workload(options);
    before.start();
    world_.run_for(kBefore);
    before.finish();
    if (!world_.run_until([&] { return before.ended(); }, kEndLimit) || !adversary_.wait_clean())
      return wrong("does not come to rest");
    const auto lost = adversary_.lose_disks();
    options.patience = kPatience;
    Workload after = make_workload(options);
    after.start_read_back();
    after.start();
    world_.run_for(kAfter);
    after.finish();
    if (!world_.run_until([&] { return after.ended(); }, kEndLimit))
      return wrong("operations do not end by their timeout");
    if (!lost.empty() && cluster_.is_clean())
      wrong(fmt::format("all is called clean, and pg {} is lost", lost.front().to_string()));
    cluster_.stop_client();
  }

  void restart_clean() {
    for (const auto& name : cluster_.names()) cluster_.stop(name);
    for (const auto& name : cluster_.names()) cluster_.start(name);
    if (!cluster_.wait_all_up(kUpLimit)) wrong("not all daemons come up after a clean stop");
  }

  const Faults faults_;
  Report report_;
  World world_;
  Rng rng_;
  History history_;
  Overseer overseer_;
  SimCluster cluster_;
  Adversary adversary_;
};

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> names = [] {
    std::vector<Scenario> out;
    for (const auto& r : rows()) out.push_back(r.scenario);
    return out;
  }();
  return names;
}

Report run_scenario(const std::string& name, uint64_t seed, const RunOptions& options) {
  for (const auto& r : rows())
    if (name == r.scenario.name) return Run(r.faults, seed, options).run();
  check_failed("scenario exists", __FILE__, __LINE__, name.c_str());
}

}  // namespace plimsoll::sim
