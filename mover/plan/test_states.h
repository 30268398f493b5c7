// SPDX-License-Identifier: LGPL-2.1-or-later
// Small clusters for the planner's tests: devices in hosts and racks, PGs placed by hand. Sizes are
// in GiB. Linked into tests only.
#pragma once

#include <string>
#include <vector>

#include "common/map/crush_map.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

inline constexpr uint64_t kGiB = uint64_t{1} << 30;

class TestCluster {
 public:
  TestCluster();

  struct Osd {
    std::string host;
    std::string rack = {};
    uint64_t size = 1000;
    std::string device_class = {};
    std::string root = "default";
  };
  /// Ids ascend from 0; returns the new one.
  OsdId add_osd(const Osd& osd);
  /// Steps as CRUSH text has them: "take default", "chooseleaf firstn 0 type host", "emit".
  int add_rule(const std::string& name, const std::vector<std::string>& steps,
               bool erasure = false);
  PoolId add_pool(const std::string& name, int rule, uint8_t size, bool erasure = false);
  /// A PG active and clean; `gib` is the size of each of its shards. CRUSH's own answer is `raw`,
  /// which is `up` where it is not given.
  PgId add_pg(PoolId pool, uint64_t gib, const std::vector<OsdId>& up,
              const std::vector<OsdId>& raw = {});

  State& state() { return state_; }
  Device& device(OsdId osd) { return state_.devices.at(static_cast<size_t>(osd)); }
  /// The use of each device is what its shards and `fixed` have.
  State make() const;

 private:
  map::CrushMap crush_;
  std::string rules_;
  int num_rules_ = 0;
  State state_;
};

/// What the plan leaves: the same state with up sets, acting sets and uses changed.
State after(const State& state, const Plan& plan);

}  // namespace plimsoll::mover
