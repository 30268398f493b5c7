// SPDX-License-Identifier: LGPL-2.1-or-later
// How much room there is: per pool what is stored, what it takes, and how much more would fit
// before the first OSD of its rule is full. Pure.
#pragma once

#include "common/map/pg_stats.h"

namespace plimsoll::mon {

struct PoolSpace {
  uint64_t stored = 0;  ///< bytes of data, once
  uint64_t stored_data = 0;
  uint64_t stored_omap = 0;
  uint64_t used = 0;  ///< bytes allocated, all copies
  uint64_t used_data = 0;
  uint64_t used_omap = 0;
  uint64_t stored_raw = 0;
  int64_t objects = 0;
  uint64_t max_avail = 0;  ///< bytes of data that still fit
  uint64_t avail_raw = 0;
  double percent_used = 0;  ///< used of what could be used, in [0, 1]
  map::ObjectStats stats;
};
PoolSpace pool_space(const map::OSDMap& map, const map::PgMap& pgs, PoolId id);
/// The same with the pool's sum at hand, for many pools in a row.
PoolSpace pool_space(const map::OSDMap& map, const map::PgMap& pgs, PoolId id,
                     const map::PoolStat& sum);

/// Bytes that the OSDs of a rule can still take in all until the first is full.
uint64_t rule_avail(const map::OSDMap& map, const map::PgMap& pgs, int rule);

/// Adds to a pool's sum what OSDs say they hold of it.
void add_store_stats(const map::PgMap& pgs, PoolId id, map::PoolStat& out);

}  // namespace plimsoll::mon
