// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/state.h"

#include <algorithm>

namespace plimsoll::mover {

namespace {

bool contains(std::span<const OsdId> all, OsdId osd) {
  return std::find(all.begin(), all.end(), osd) != all.end();
}

class InFlight {
 public:
  InFlight(const State& state, Use& use) : state_(state), use_(use) {}

  /// Erasure-coded: each position is a shard of its own.
  void add_by_position(PgIndex pg) {
    const auto up = state_.up_of(pg), acting = state_.acting_of(pg);
    for (uint32_t i = 0; i < up.size(); i++) {
      if (up[i] == acting[i]) continue;
      arrive(up[i], state_.bytes_of(pg)[i]);
      leave(acting[i], state_.bytes_of(pg)[i]);
    }
  }

  /// Replicated: members are what counts; the one that leaves is as large as the one that comes.
  void add_by_members(PgIndex pg) {
    const auto up = state_.up_of(pg), acting = state_.acting_of(pg);
    uint32_t in = 0, out = 0;
    for (;; in++, out++) {
      while (in < up.size() && contains(acting, up[in])) in++;
      while (out < acting.size() && contains(up, acting[out])) out++;
      if (in >= up.size() && out >= acting.size()) return;
      if (in < up.size()) arrive(up[in], state_.bytes_of(pg)[in]);
      if (out < acting.size())
        leave(acting[out], state_.bytes_of(pg)[std::min<size_t>(in, up.size() - 1)]);
    }
  }

 private:
  bool known(OsdId osd) const { return osd >= 0 && static_cast<size_t>(osd) < use_.now.size(); }
  void arrive(OsdId osd, uint64_t bytes) {
    if (!known(osd)) return;
    use_.final_[osd] += bytes;
    use_.peak[osd] += bytes;
  }
  void leave(OsdId osd, uint64_t bytes) {
    if (known(osd)) use_.final_[osd] -= std::min(bytes, use_.final_[osd]);
  }

  const State& state_;
  Use& use_;
};

}  // namespace

PgIndex State::find(PgId pg) const {
  const auto it = std::lower_bound(pg_ids.begin(), pg_ids.end(), pg);
  return static_cast<PgIndex>(it != pg_ids.end() && *it == pg ? it - pg_ids.begin()
                                                              : pg_ids.size());
}

bool is_moving(const State& state, PgIndex pg) {
  const auto up = state.up_of(pg), acting = state.acting_of(pg);
  if (std::equal(up.begin(), up.end(), acting.begin())) return false;
  if (state.pools.at(state.pg_ids[pg].pool).info.is_erasure()) return true;
  return !std::all_of(up.begin(), up.end(), [&](OsdId osd) { return contains(acting, osd); }) ||
         !std::all_of(acting.begin(), acting.end(), [&](OsdId osd) { return contains(up, osd); });
}

Use use_of(const State& state) {
  Use use;
  for (const Device& d : state.devices) use.now.push_back(d.used);
  use.final_ = use.peak = use.now;
  InFlight in_flight(state, use);
  for (PgIndex pg = 0; pg < state.num_pgs(); pg++) {
    if (!is_moving(state, pg)) continue;
    if (state.pools.at(state.pg_ids[pg].pool).info.is_erasure())
      in_flight.add_by_position(pg);
    else
      in_flight.add_by_members(pg);
  }
  return use;
}

}  // namespace plimsoll::mover
