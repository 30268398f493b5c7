// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/adversary.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::sim {

namespace {

constexpr Duration kSlowReplica = 20ms;
/// Nobody is killed, where something milder may happen as well.
constexpr double kOnlyDisturbed = 0.6;
constexpr Duration kUsualSkew = 50ms;
/// Behind the superblock and the journal.
constexpr uint64_t kDataBegins = 2 << 20;

Duration up_to(Rng& rng, Duration most) { return Duration(rng.below(most.count())); }

std::string number_of(const std::string& osd) { return osd.substr(osd.find('.') + 1); }

}  // namespace

Adversary::Adversary(SimCluster& cluster, const Faults& faults, Rng rng)
    : cluster_(cluster),
      world_(cluster.world()),
      faults_(faults),
      rng_(rng),
      osds_(cluster.osd_names()) {
  if (faults.slow_replica) slow_ = any_osd();
  if (faults.bad_disk) bad_ = any_osd();
  if (faults.noise) world_.clock_skew = rng_.chance(0.5) ? Duration(10h) : kUsualSkew;
}

void Adversary::begin(Mortal& mortal, Duration pause) {
  mortal_ = &mortal;
  pause_ = pause;
  slow_disks(Duration(0));
  if (faults_.kill_client) mortal.start();
  NetFaults& net = world_.network().faults;
  if (faults_.reset_streams) net.reset = 0.002;
  if (!faults_.noise) return;
  net.flip = 0.001;
  net.spike = 0.005;
  net.spike_most = 2s;
}

void Adversary::end() {
  world_.network().faults = NetFaults();
  world_.network().heal();
  if (mortal_->lives()) mortal_->kill();
  slow_disks(Duration(0));
  start_some(1);
  if (faults_.churn) settle();
  if (!faults_.bad_disk) return;
  world_.host(bad_).storage.faults.read_error = 0;
  revive();
  if (wait_clean()) replace(bad_);
}

void Adversary::one_fault(Workload& workload, const History& history) {
  world_.run_for(up_to(rng_, pause_));
  count_++;
  if (faults_.kill_client && rng_.chance(0.3)) {
    mortal_->kill();
    mortal_->start();
    return;
  }
  if (faults_.members) return change_members();
  if (faults_.churn) return churn();
  if (faults_.bad_disk) return spoil_disk();
  if ((faults_.lose_pushes || faults_.mark_down) && rng_.chance(kOnlyDisturbed))
    return faults_.lose_pushes ? lose_pushes() : mark_down();
  kill_and_start(workload, history);
}

void Adversary::kill_and_start(Workload& workload, const History& history) {
  std::vector<std::vector<std::string>> choices;
  if (faults_.kill_one) choices.push_back({any_osd()});
  if (faults_.kill_mon) choices.push_back({"mon.a"});
  if (faults_.kill_all) choices.push_back(cluster_.names());
  if (faults_.cut_links) choices.push_back({});
  const auto victims =
      choices.empty() ? std::vector<std::string>() : choices[rng_.below(choices.size())];
  const bool near = !victims.empty() && rng_.chance(victims.size() > 1 ? 0.7 : 0.3);
  if (near) wait_for_acknowledgement(history);
  if (victims.empty() && faults_.cut_links) cut_one_link();
  for (const auto& v : victims) cluster_.kill(v);
  slow_disks(Duration(0));
  world_.run_for(up_to(rng_, rng_.chance(0.2) ? Duration(40s) : Duration(2s)));
  for (const auto& v : victims) cluster_.start(v);
  world_.network().heal();
  // What was promised is looked for before it is overwritten.
  if (near) workload.start_read_back();
}

bool Adversary::tell(const std::string& prefix, const std::string& arguments) {
  return cluster_.command(fmt::format(R"({{"prefix": "{}", {}}})", prefix, arguments));
}

bool Adversary::wait_clean() {
  constexpr Duration kLimit = 300s, kLookAgain = 1s;
  // Longer than statistics take to be right again.
  world_.run_for(12s);
  for (Duration waited{0}; waited < kLimit; waited += kLookAgain) {
    if (cluster_.is_clean()) return true;
    world_.run_for(kLookAgain);
  }
  wrong_.push_back("not clean in time: " + cluster_.pg_stat());
  return false;
}

// ---- OSDs that come and go ----------------------------------------------------------------------

/// One OSD at a time, so that whoever remains has everything. What comes next may meet PGs that
/// are still on their way, unless a disk is lost.
void Adversary::change_members() {
  const std::string name = any_osd();
  const size_t what = rng_.below(4);
  if ((what == 0 || rng_.chance(0.5)) && !wait_clean()) return;
  const std::string ids = fmt::format(R"("ids": ["{}"])", number_of(name));
  switch (what) {
    case 0: return replace(name);
    case 1:
    case 2:
      cluster_.kill(name);
      world_.run_for(up_to(rng_, what == 1 ? Duration(60s) : Duration(3s)));
      cluster_.start(name);
      return;
    default:
      if (!tell("osd out", ids)) wrong_.push_back("osd out fails");
      world_.run_for(up_to(rng_, 20s));
      if (!tell("osd in", ids)) wrong_.push_back("osd in fails");
  }
}

/// An empty OSD takes the place of one whose disk is lost.
void Adversary::replace(const std::string& name) {
  if (cluster_.is_up(name)) cluster_.kill(name);
  world_.run_for(up_to(rng_, 10s));
  const std::string sure =
      fmt::format(R"("id": "{}", "force": true, "yes_i_really_mean_it": true)", name);
  int tries = 60;
  while (!tell("osd purge", sure) && --tries) world_.run_for(1s);
  if (!tries) wrong_.push_back("osd purge fails");
  world_.run_for(up_to(rng_, 10s));
  cluster_.replace_disk(name);
  cluster_.start(name);
}

/// As many as it likes: whoever was a member last has everything, and comes back.
void Adversary::churn() {
  switch (rng_.below(8)) {
    case 0:
    case 1: kill_some(); break;
    case 2:
    case 3: start_some(0.5); break;
    case 4: lose_what_others_have(); break;
    default: move_data();
  }
  if (rng_.chance(0.1)) {
    cluster_.kill("mon.a");
    world_.run_for(up_to(rng_, 5s));
    cluster_.start("mon.a");
  }
  const bool long_wait = rng_.chance(0.3);
  world_.run_for(up_to(rng_, long_wait ? Duration(30s) : Duration(2s)));
}

void Adversary::kill_some() {
  const double chance = rng_.chance(0.3) ? 1 : 0.4;
  for (const auto& osd : osds_)
    if (cluster_.is_up(osd) && rng_.chance(chance)) cluster_.kill(osd);
}

void Adversary::start_some(double chance) {
  for (const auto& osd : osds_)
    if (!cluster_.is_up(osd) && rng_.chance(chance)) cluster_.start(osd);
}

/// A disk, while each PG has another member that is up: that alone has all that was acknowledged.
void Adversary::lose_what_others_have() {
  const std::string name = any_osd();
  const std::vector<std::string> others = cluster_.up_osds_but(name);
  if (!cluster_.each_pg_has_one_of(others)) return;
  replace(name);
}

/// What the monitor refuses is left undone.
void Adversary::move_data() {
  const std::string osd = number_of(any_osd());
  const std::string ids = fmt::format(R"("ids": ["{}"])", osd);
  switch (rng_.below(6)) {
    case 0: tell("osd out", ids); break;
    case 1: tell("osd in", ids); break;
    case 2: tell("osd down", ids); break;
    case 3:
      tell("osd reweight", fmt::format(R"("id": {}, "weight": {:.2f})", osd, rng_.unit()));
      break;
    case 4:
      tell("osd pool set",
           fmt::format(R"("pool": "p", "var": "size", "val": "{}")", 2 + rng_.below(3)));
      break;
    default:
      tell("osd pool set",
           fmt::format(R"("pool": "p", "var": "min_size", "val": "{}")", 1 + rng_.below(2)));
  }
}

/// A PG with one member comes back only where one is enough.
void Adversary::settle() {
  for (const auto& osd : osds_)
    tell("osd reweight", fmt::format(R"("id": {}, "weight": 1.0)", number_of(osd)));
  tell("osd pool set", R"("pool": "p", "var": "size", "val": "3")");
  tell("osd pool set", R"("pool": "p", "var": "min_size", "val": "2")");
}

std::vector<PgId> Adversary::lose_disks() {
  count_++;
  std::vector<std::string> victims = osds_;
  victims.erase(victims.begin() + static_cast<ptrdiff_t>(rng_.below(victims.size())));
  if (rng_.chance(0.3)) victims.pop_back();
  const map::OSDMap& map = *cluster_.client().objecter().osdmap();
  std::vector<PgId> lost;
  for (const PgId pg : map.all_pgs()) {
    const auto acting = map.map_pg(pg).acting;
    auto gone = [&](OsdId osd) { return std::ranges::count(victims, fmt::format("osd.{}", osd)); };
    if (std::ranges::all_of(acting, gone)) lost.push_back(pg);
  }
  for (const auto& v : victims) cluster_.kill(v);
  const bool purged = rng_.chance(0.5);
  tell("osd pool set", R"("pool": "p", "var": "min_size", "val": "1")");
  world_.run_for(up_to(rng_, 40s));
  for (const auto& v : victims) {
    if (purged)
      tell("osd purge",
           fmt::format(R"("id": "{}", "force": true, "yes_i_really_mean_it": true)", v));
    cluster_.replace_disk(v);
    cluster_.start(v);
  }
  return lost;
}

// ---- crashes ------------------------------------------------------------------------------------

/// To strike where it hurts: right behind a promise that the disks were slow to make true.
void Adversary::wait_for_acknowledgement(const History& history) {
  constexpr Duration kPatience = 5s, kSlow = 40ms, kBehind = 200us;
  slow_disks(kSlow);
  world_.run_for(kSlow);
  const size_t seen = history.acknowledged();
  world_.run_until([&] { return history.acknowledged() > seen; }, kPatience);
  world_.run_for(up_to(rng_, kBehind));
}

void Adversary::mark_down() {
  const std::string name = any_osd();
  if (!tell("osd down", fmt::format(R"("ids": ["{}"])", number_of(name))))
    wrong_.push_back("osd down fails for " + name);
}

// ---- disks --------------------------------------------------------------------------------------

void Adversary::slow_disks(Duration slow) {
  for (const auto& osd : osds_)
    world_.host(osd).storage.faults.slow = osd == slow_ ? std::max(slow, kSlowReplica) : slow;
}

/// All on one OSD, so that the others have everything.
void Adversary::spoil_disk() {
  HostStorage& storage = world_.host(bad_).storage;
  storage.faults.read_error = 0;
  revive();
  switch (rng_.below(3)) {
    case 0: storage.faults.read_error = rng_.unit(); break;
    case 1:
      cluster_.kill(bad_);
      world_.run_for(up_to(rng_, 5s));
      cluster_.start(bad_);
      break;
    default:
      for (auto& [path, disk] : storage.disks)
        for (int i = 0; i < 10; i++) disk.rot(kDataBegins, rng_);
  }
}

/// An OSD whose disk fails it may end by itself; whoever watches over it starts it again.
void Adversary::revive() {
  if (!cluster_.ended(bad_)) return;
  cluster_.kill(bad_);
  cluster_.start(bad_);
}

// ---- the network --------------------------------------------------------------------------------

/// Nothing of what is sent on a link for a while ever arrives.
void Adversary::lose_pushes() {
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

void Adversary::cut_one_link() {
  auto names = cluster_.names();
  names.push_back("client");
  const std::string from = names[rng_.below(names.size())], to = names[rng_.below(names.size())];
  world_.network().cut(from, to);
  if (rng_.chance(0.5)) world_.network().cut(to, from);
}

}  // namespace plimsoll::sim
