// SPDX-License-Identifier: LGPL-2.1-or-later
// Adversary: does to a cluster what its scenario allows, one fault after the other, drawn from the
// seed; in the end it takes back what it did.
#pragma once

#include "qa/sim/faults.h"
#include "qa/sim/mortal.h"

namespace plimsoll::sim {

class Adversary {
 public:
  Adversary(SimCluster& cluster, const Faults& faults, Rng rng);

  /// From when the cluster is up; `mortal` may be killed, `pause` is the longest between faults.
  void begin(Mortal& mortal, Duration pause);
  /// `workload` goes on meanwhile.
  void one_fault(Workload& workload, const History& history);
  /// All daemons run again, or will.
  void end();
  /// Loses the disks of most OSDs at once, and brings empty ones. Returns the PGs of which nothing
  /// is left.
  std::vector<PgId> lose_disks();
  /// All PGs are active+clean within a bounded time.
  bool wait_clean();

  size_t faults() const { return count_; }
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  void kill_and_start(Workload& workload, const History& history);
  bool tell(const std::string& prefix, const std::string& arguments);
  std::string any_osd() { return osds_[rng_.below(osds_.size())]; }
  void change_members();
  void replace(const std::string& name);
  void churn();
  void kill_some();
  void start_some(double chance);
  void lose_what_others_have();
  void move_data();
  void settle();
  void wait_for_acknowledgement(const History& history);
  void slow_disks(Duration slow);
  void lose_pushes();
  void mark_down();
  void cut_one_link();
  void spoil_disk();
  void revive();

  SimCluster& cluster_;
  World& world_;
  const Faults faults_;
  Rng rng_;
  const std::vector<std::string> osds_;
  Mortal* mortal_ = nullptr;
  Duration pause_{0};
  size_t count_ = 0;
  std::string slow_;  ///< the OSD with slow disks
  std::string bad_;   ///< the OSD whose disk is bad
  std::vector<std::string> wrong_;
};

}  // namespace plimsoll::sim
