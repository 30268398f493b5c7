// SPDX-License-Identifier: LGPL-2.1-or-later
// Services: the monitor's state and what may be done to it, without the network. One service per
// map or store, all on one consensus; commands and messages work on this. Tests run it on a
// simulated store.
#pragma once

#include <memory>

#include "common/config/config.h"
#include "common/map/fs_map.h"
#include "common/map/mgr_map.h"
#include "common/map/mon_map.h"
#include "common/rt/runtime.h"
#include "mon/auth_service.h"
#include "mon/config_service.h"
#include "mon/consensus/consensus.h"
#include "mon/health_service.h"
#include "mon/key_service.h"
#include "mon/log_service.h"
#include "mon/osd_membership.h"
#include "mon/osd_service.h"
#include "mon/quotas.h"
#include "mon/stats_service.h"

namespace plimsoll::mon {

class Services {
 public:
  Services(Runtime& runtime, config::Config& config, Consensus& consensus);
  /// Reads everything; an error says what is damaged or missing.
  Task<Result<>> load();
  Task<void> stop();
  /// Every tick: what time alone brings about.
  Task<void> tick();

  Runtime& runtime;
  config::Config& config;
  Consensus& consensus;
  std::string name;  ///< "a"
  map::MonMap monmap;
  map::MgrMap mgrmap;
  map::FSMap fsmap;
  /// What this host is: "hostname", "arch", "os", ...
  std::map<std::string, std::string> host_metadata;
  TimePoint started;
  LogService log;
  KeyService keys;
  ConfigService settings;
  AuthService auth;
  OsdService osd;
  OsdMembership membership;
  StatsService stats;
  Quotas quotas;
  HealthService health;

  /// Called after a new OSD map; `before` is the one it replaces.
  std::function<void(const map::OSDMap& before)> on_osdmap;

 private:
  void after_epoch(const map::OSDMap& before);
};

inline constexpr char kMonMapKey[] = "monmap";

}  // namespace plimsoll::mon
