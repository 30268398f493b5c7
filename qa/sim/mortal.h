// SPDX-License-Identifier: LGPL-2.1-or-later
// Mortal: a client that is killed amid its operations and comes back as another one, on the same
// objects as everybody. What it asked for last may have happened, may happen yet, or never.
#pragma once

#include "qa/sim/sim_cluster.h"
#include "qa/sim/workload.h"

namespace plimsoll::sim {

class Mortal {
 public:
  Mortal(SimCluster& cluster, History& history, WorkloadOptions options)
      : cluster_(cluster), history_(history), options_(options) {}

  /// A new one takes up work as soon as the cluster lets it.
  void start();
  void kill() { cluster_.mortal_host().kill(); }
  bool lives() { return cluster_.mortal_host().is_up(); }

 private:
  SimCluster& cluster_;
  History& history_;
  const WorkloadOptions options_;
};

}  // namespace plimsoll::sim
