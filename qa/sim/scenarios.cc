// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/scenarios.h"

#include <fmt/format.h>

#include <algorithm>

#include "qa/sim/filler.h"
#include "qa/sim/sim_cluster.h"
#include "qa/sim/workload.h"

namespace plimsoll::sim {

namespace {

constexpr size_t kFaults = 10;
constexpr Duration kUpLimit = 120s;
constexpr Duration kEndLimit = 600s;
constexpr Duration kSlowReplica = 20ms;
/// Nobody is killed, where something milder may happen as well.
constexpr double kOnlyDisturbed = 0.6;

struct Faults {
  bool kill_one = false;      ///< OSDs, one at a time
  bool kill_mon = false;
  bool kill_all = false;
  bool reset_streams = false;
  bool cut_links = false;
  bool restart_clean = false; ///< stop and start everything in order at the end
  size_t osd_shards = 1;
  bool fill = false;          ///< the pool becomes full, again and again
  bool lose_pushes = false;   ///< what the monitor or an OSD sends is held up, then lost
  bool mark_down = false;     ///< OSDs that run are called down
  bool slow_replica = false;  ///< one OSD's disks are slow all the time
  bool members = false;       ///< OSDs are away for long, replaced by empty ones, out and in
};

struct Row {
  Scenario scenario;
  Faults faults;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"calm", "no faults; everything stopped and started again in order"},
       {.restart_clean = true}},
      {{"shards", "calm, with two shards per OSD"}, {.restart_clean = true, .osd_shards = 2}},
      {{"crash-one", "OSDs are killed one at a time"}, {.kill_one = true}},
      {{"crash-all", "all daemons are killed at once"}, {.kill_all = true}},
      {{"crash-mon", "the monitor and OSDs are killed"}, {.kill_one = true, .kill_mon = true}},
      {{"net", "streams are reset, links are cut"}, {.reset_streams = true, .cut_links = true}},
      {{"full", "filled and freed while OSDs are killed and streams are reset"},
       {.kill_one = true, .reset_streams = true, .fill = true}},
      {{"full-shards", "filled and freed, with two shards per OSD"},
       {.cut_links = true, .osd_shards = 2, .fill = true}},
      {{"full-lost", "filled and freed while pushed maps are lost, OSDs and the monitor killed"},
       {.kill_one = true, .kill_mon = true, .fill = true, .lose_pushes = true}},
      {{"full-slow", "filled and freed with one slow OSD, while OSDs are called down"},
       {.kill_one = true, .fill = true, .mark_down = true, .slow_replica = true}},
      {{"members", "OSDs killed for long, replaced by empty ones, out and in; replicas compared"},
       {.members = true}},
      {{"storm", "all of it, with two shards per OSD"}, {true, true, true, true, true, true, 2}},
  };
  return table;
}

Duration up_to(Rng& rng, Duration most) { return Duration(rng.below(most.count())); }

class Run {
 public:
  Run(const Faults& faults, uint64_t seed, const RunOptions& how)
      : faults_(faults),
        world_(seed),
        rng_(world_.rng().fork()),
        check_(world_.rng().fork(), plants(how.plant)),
        cluster_(world_, options(faults), check_) {
    world_.set_verbose(how.verbose);
    world_.hash().trace_to(how.trace);
    for (const auto& osd : cluster_.osd_names())
      world_.host(osd).storage.faults.answers_early = how.plant == Plant::kEarlyAck;
    if (faults.slow_replica) slow_ = rng_.below(cluster_.osd_names().size());
  }

  Report run() {
    if (!cluster_.create()) wrong("the cluster does not come up");
    else run_workload();
    for (const auto& f : cluster_.failures()) wrong(f);
    for (const auto& w : check_.wrong()) wrong(w);
    if (world_.errors()) wrong(fmt::format("{} errors in the log", world_.errors()));
    report_.hash = world_.hash().value();
    report_.virtual_time = world_.schedule().now().since_start;
    return std::move(report_);
  }

 private:
  static ClusterOptions options(const Faults& faults) {
    ClusterOptions out;
    out.osd_shards = faults.osd_shards;
    if (faults.members) {
      out.osds = 4;
      out.pg_num = 4;
      // Logs that soon do not reach back to whoever was away, but do to all requests in flight.
      out.conf = "osd_min_pg_log_entries = 20\nosd_max_pg_log_entries = 20\n";
    }
    return out;
  }
  static FullCheck::Plants plants(Plant plant) {
    constexpr double kSometimes = 0.05;
    return {.forgets_loan = plant == Plant::kLendTwice ? kSometimes : 0,
            .carries_out_outdated = plant == Plant::kEpochCheck};
  }
  void wrong(std::string what) { report_.wrong.push_back(std::move(what)); }

  void run_workload() {
    WorkloadOptions options;
    constexpr Duration kThink[] = {5ms, 50ms, 500ms};
    options.think = think_ = kThink[rng_.below(std::size(kThink))];
    if (!faulty()) options.operations = 100;
    if (faults_.members) {
      options.operations = 100'000;
      options.think = think_ = 300ms;
    }
    Workload workload(cluster_.client_host().runtime(), cluster_.client(), cluster_.pool(),
                      options);
    workload.start();
    slow_disks(Duration(0));
    Filler filler(cluster_.client_host().runtime(), cluster_.client(), cluster_.pool());
    if (faults_.fill) filler.start();
    if (faults_.reset_streams) world_.network().faults.reset = 0.002;
    while (!workload.ended() && report_.kills < kFaults && faulty()) one_fault(workload);
    if (faulty()) workload.finish();
    world_.network().faults.reset = 0;
    world_.network().heal();
    if (!cluster_.wait_all_up(kUpLimit)) return wrong("not all daemons come up again");
    if (faults_.fill && !world_.run_until([&] { return filler.turns() > 0; }, kEndLimit))
      return wrong("the pool never was full");
    filler.finish();
    if (!world_.run_until([&] { return workload.ended() && filler.ended(); }, kEndLimit))
      return wrong("operations do not end after the faults");
    for (const auto& w : filler.wrong()) wrong(w);
    if (faults_.restart_clean) restart_clean();
    if (faults_.members) wait_clean();
    world_.run(cluster_.client_host(), workload.read_back(), kEndLimit);
    report_.operations = workload.operations();
    for (auto& w : workload.check()) wrong(std::move(w));
    if (faults_.members && report_.wrong.empty())
      for (auto& w : cluster_.check_stores()) wrong(std::move(w));
    cluster_.stop_client();
  }

  bool faulty() const {
    return faults_.kill_one || faults_.kill_mon || faults_.kill_all || faults_.cut_links ||
           faults_.lose_pushes || faults_.mark_down || faults_.members;
  }

  void one_fault(Workload& workload) {
    world_.run_for(up_to(rng_, std::min<Duration>(2s, 40 * think_)));
    if (faults_.members) return change_members();
    std::vector<std::vector<std::string>> choices;
    const auto osds = cluster_.osd_names();
    if (faults_.kill_one) choices.push_back({osds[rng_.below(osds.size())]});
    if (faults_.kill_mon) choices.push_back({"mon.a"});
    if (faults_.kill_all) choices.push_back(cluster_.names());
    if (faults_.cut_links) choices.push_back({});
    report_.kills++;
    if ((faults_.lose_pushes || faults_.mark_down) && rng_.chance(kOnlyDisturbed))
      return faults_.lose_pushes ? lose_pushes() : mark_down();
    const auto victims = choices[rng_.below(choices.size())];
    const bool all = victims == cluster_.names();
    const bool near = all && rng_.chance(0.7);
    if (near) wait_for_acknowledgement(workload);
    if (victims.empty()) cut_one_link();
    for (const auto& v : victims) cluster_.kill(v);
    slow_disks(Duration(0));
    world_.run_for(up_to(rng_, rng_.chance(0.2) ? Duration(40s) : Duration(2s)));
    for (const auto& v : victims) cluster_.start(v);
    world_.network().heal();
    // What was promised is looked for before it is overwritten.
    if (near) workload.start_read_back();
  }

  bool tell(const std::string& prefix, const std::string& arguments) {
    return cluster_.command(fmt::format(R"({{"prefix": "{}", {}}})", prefix, arguments));
  }

  bool wait_clean() {
    constexpr Duration kLimit = 300s, kLookAgain = 1s;
    // Longer than statistics take to be right again.
    world_.run_for(12s);
    for (Duration waited{0}; waited < kLimit; waited += kLookAgain) {
      if (cluster_.is_clean()) return true;
      world_.run_for(kLookAgain);
    }
    wrong("not clean in time");
    return false;
  }

  /// One OSD at a time, so that whoever remains has everything. What comes next may meet PGs that
  /// are still on their way, unless a disk is lost.
  void change_members() {
    report_.kills++;
    const size_t osd = rng_.below(cluster_.osd_names().size());
    const std::string name = cluster_.osd_names()[osd];
    const size_t what = rng_.below(4);
    if ((what == 0 || rng_.chance(0.5)) && !wait_clean()) return;
    const std::string ids = fmt::format(R"("ids": ["{}"])", osd);
    switch (what) {
      case 0:
        return replace(osd, name);
      case 1:
      case 2:
        cluster_.kill(name);
        world_.run_for(up_to(rng_, what == 1 ? Duration(60s) : Duration(3s)));
        cluster_.start(name);
        return;
      default:
        if (!tell("osd out", ids)) wrong("osd out fails");
        world_.run_for(up_to(rng_, 20s));
        if (!tell("osd in", ids)) wrong("osd in fails");
    }
  }

  /// An empty OSD takes the place of one whose disk is lost.
  void replace(size_t osd, const std::string& name) {
    cluster_.kill(name);
    world_.run_for(up_to(rng_, 10s));
    const std::string sure =
        fmt::format(R"("id": "osd.{}", "force": true, "yes_i_really_mean_it": true)", osd);
    int tries = 60;
    while (!tell("osd purge", sure) && --tries) world_.run_for(1s);
    if (!tries) wrong("osd purge fails");
    world_.run_for(up_to(rng_, 10s));
    cluster_.replace_disk(name);
    cluster_.start(name);
  }

  /// To strike where it hurts: right behind a promise that the disks were slow to make true.
  void wait_for_acknowledgement(Workload& workload) {
    constexpr Duration kPatience = 5s, kSlow = 40ms, kBehind = 200us;
    slow_disks(kSlow);
    world_.run_for(kSlow);
    const size_t seen = workload.acknowledged();
    world_.run_until([&] { return workload.acknowledged() > seen; }, kPatience);
    world_.run_for(up_to(rng_, kBehind));
  }

  void slow_disks(Duration slow) {
    const auto osds = cluster_.osd_names();
    for (size_t i = 0; i < osds.size(); i++)
      world_.host(osds[i]).storage.faults.slow = i == slow_ ? std::max(slow, kSlowReplica) : slow;
  }

  /// Nothing of what is sent on a link for a while ever arrives.
  void lose_pushes() {
    auto from = cluster_.names();
    const std::string by = from[rng_.chance(0.5) ? 0 : rng_.below(from.size())];
    from.push_back("client");
    std::erase(from, by);
    const std::string to = from[rng_.below(from.size())];
    world_.network().cut(by, to);
    world_.run_for(up_to(rng_, 2s));
    world_.network().sever(by, to);
    world_.network().heal();
  }

  void mark_down() {
    const size_t osd = rng_.below(cluster_.osd_names().size());
    if (!cluster_.command(fmt::format(R"({{"prefix": "osd down", "ids": ["{}"]}})", osd)))
      wrong(fmt::format("osd down {} fails", osd));
  }

  void cut_one_link() {
    auto names = cluster_.names();
    names.push_back("client");
    const std::string from = names[rng_.below(names.size())], to = names[rng_.below(names.size())];
    world_.network().cut(from, to);
    if (rng_.chance(0.5)) world_.network().cut(to, from);
  }

  void restart_clean() {
    for (const auto& name : cluster_.names()) cluster_.stop(name);
    for (const auto& name : cluster_.names()) cluster_.start(name);
    if (!cluster_.wait_all_up(kUpLimit)) wrong("not all daemons come up after a clean stop");
  }

  const Faults faults_;
  Duration think_{0};  ///< of the workload; faults come faster where it is busy
  Report report_;
  World world_;
  Rng rng_;
  size_t slow_ = SIZE_MAX;  ///< the slow OSD
  FullCheck check_;
  SimCluster cluster_;
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
