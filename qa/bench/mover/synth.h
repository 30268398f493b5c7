// SPDX-License-Identifier: LGPL-2.1-or-later
// Synthetic clusters of any size for tests and benchmarks of the mover: hosts of eight hdd and two
// ssd OSDs in racks, hdd sizes that differ from host to host, replicated and erasure-coded pools
// with sizes of PGs that follow a lognormal distribution. CRUSH's own placement, so some devices
// are far too full, a few beyond 100%. The same shape gives the same cluster.
#pragma once

#include <cstdint>

#include "mover/model/dump.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

struct SynthShape {
  int osds = 1000;  ///< a multiple of 10: ten a host
  uint64_t seed = 1;
  /// Mean fill of all devices of a class.
  double hdd_fill = 0.78;
  double ssd_fill = 0.63;
  double sigma = 0.35;  ///< of the logarithm of PG sizes inside a pool
  bool up = true;       ///< a lone monitor wants them down: nobody is there to be up
  OsdId out = kNoOsd;   ///< this one is out, and empty
};

/// All PGs active+clean, no upmap entries.
Dump make_synth(const SynthShape& shape);

/// What the planner reads of such a dump, with the exact size of every shard.
State synth_state(const Dump& dump);

}  // namespace plimsoll::mover
