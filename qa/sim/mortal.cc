// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/mortal.h"

namespace plimsoll::sim {

namespace {

constexpr Duration kStartLimit = 60s;

/// Kept with the host's incarnation.
struct Life {
  Life(Runtime& runtime, SimCluster& cluster, History& history, const WorkloadOptions& options)
      : client(runtime, cluster.conf()),
        workload(runtime, client.rados, cluster.pool(), history, options) {}
  SimClient client;
  Workload workload;
};

Task<void> live(Life& life) {
  auto started = co_await life.client.rados.start(kStartLimit);
  if (started) life.workload.start();
}

}  // namespace

void Mortal::start() {
  Host& host = cluster_.mortal_host();
  SimRuntime& runtime = host.boot();
  auto life = std::make_shared<Life>(runtime, cluster_, history_, options_);
  host.hold(life);
  spawn_detached(runtime.executor(), live(*life));
}

}  // namespace plimsoll::sim
