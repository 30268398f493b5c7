// SPDX-License-Identifier: LGPL-2.1-or-later
// The pure half of the Objecter: where an operation must go under a given map, whether it must
// wait, and whether a new map makes it go again (wire.md 7.4, 8). Values in, verdicts out.
#pragma once

#include <optional>
#include <vector>

#include "common/map/osd_map.h"
#include "common/msg/osd_messages.h"

namespace plimsoll::rados {

/// What an operation is about.
struct Aim {
  std::string oid;
  ObjectLocator locator;  ///< hash >= 0 names the PG seed itself
  uint32_t flags = 0;     ///< msg::kReq*
};

/// Where it goes. Two equal targets mean that what was sent still stands.
struct Target {
  bool pool_exists = false;
  uint32_t hash = 0;  ///< raw
  PgId pg;
  std::vector<OsdId> up;
  std::vector<OsdId> acting;
  OsdId primary = kNoOsd;
  uint32_t pg_num = 0;
  uint32_t size = 0;
  uint32_t min_size = 0;
  Epoch force_resend = 0;  ///< the pool's last_force_op_resend
  bool operator==(const Target&) const = default;
};

Target find_target(const map::OSDMap& map, const Aim& aim);

/// A write (or ordered read) that neither tries nor forces stops at a full pool.
bool respects_full(uint32_t flags);

/// The map, or its pool, is full for this aim.
bool is_full(const map::OSDMap& map, PoolId pool);

/// The operation must not be sent now: pause flags, full, or a map older than `barrier`.
bool must_pause(const map::OSDMap& map, const Aim& aim, Epoch barrier);

/// Pools (kAllPools: the map itself) that are full in `map`.
inline constexpr PoolId kAllPools = -1;
std::set<PoolId> full_pools(const map::OSDMap& map);

/// What to do with an operation when maps arrive.
enum class Verdict { kKeep, kSend, kPause, kPoolGone };

/// `sent`: it is under way to `before`. `saw_full`: some map of the batch just applied had its pool
/// full, so an OSD may have discarded it in silence.
Verdict judge(const map::OSDMap& map, const Aim& aim, const Target& before, const Target& now,
              bool sent, bool saw_full, Epoch barrier);

}  // namespace plimsoll::rados
