// SPDX-License-Identifier: LGPL-2.1-or-later
// Book: what every device holds while a plan grows, and which shards it can still give away. Use is
// `final_` (when all is done) and `peak` (in-flight data has come, nothing of it has gone); moves
// of the plan change both at once, since waves see to their order (plan/waves.h).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "mover/plan/plan.h"
#include "mover/plan/rule.h"
#include "mover/plan/state.h"

namespace plimsoll::mover {

struct Shard {
  uint64_t bytes = 0;
  PgIndex pg = 0;
  uint32_t position = 0;
};

/// One device.
struct Row {
  uint64_t size = 0;  ///< 0: unknown, neither source nor target
  uint64_t final_ = 0, peak = 0;
  double aim = 1;         ///< as a source it comes down to this fill
  double limit = 0;       ///< as a target it may end at this fill
  int group = -1;         ///< devices that share a root: plan/groups.h
  bool asked = false;     ///< the goal wants it to give
  bool source = false;    ///< it gives: not all who are asked can, where the mean is too high
  bool receives = false;  ///< up, in, not cordoned, chosen, of known size

  double fill() const { return size ? static_cast<double>(final_) / static_cast<double>(size) : 0; }
};

/// Why shards of a device stayed.
struct Cause {
  uint64_t shards = 0, bytes = 0;
};
using Causes = std::map<Block, Cause>;

class Book {
 public:
  Book(const State& state, const Rules& rules, const Goal& goal);

  const State& state() const { return state_; }
  const Rules& rules() const { return rules_; }
  const Rule& rule_of(PgIndex pg) const { return rules_.of(state_.pg_ids[pg].pool); }
  const Goal& goal() const { return goal_; }
  std::vector<Row>& rows() { return rows_; }
  const std::vector<Row>& rows() const { return rows_; }
  OsdId num_osds() const { return static_cast<OsdId>(rows_.size()); }
  double peak_limit() const { return peak_limit_; }
  uint64_t largest_size() const { return largest_size_; }

  /// Bytes that must leave a source.
  uint64_t excess(OsdId osd) const;
  /// Bytes that a target can take: both its limit and the peak limit hold.
  uint64_t room(OsdId osd) const;

  /// Why the PG cannot be touched now, besides by a move of this plan.
  std::optional<Block> pg_block(PgIndex pg);
  bool is_moved(PgIndex pg) const { return moved_[pg]; }
  /// Has the plan moved the device's shard of the PG?
  bool has_left(OsdId osd, PgIndex pg) const {
    const auto it = left_.find(pg);
    return it != left_.end() && it->second == osd;
  }
  /// The shards that the device can give, ascending by size, then PG. What cannot move is tallied
  /// in causes() when the list is made. Made when first asked for; shards of moved PGs may still be
  /// in it.
  std::vector<Shard>& shards(OsdId osd);
  Causes& causes(OsdId osd) { return causes_[osd]; }
  void tally(OsdId osd, const Shard& shard, Block cause);
  /// f(Shard) for every position that the device holds in the state, by PG.
  template <class F>
  void for_each_position(OsdId osd, F&& f) const {
    for (uint32_t i = first_pg_[osd]; i < first_pg_[osd + 1]; i++) f(shard_of(osd, pgs_[i]));
  }
  /// Number of positions that the device holds in up sets of the state.
  size_t num_positions(OsdId osd) const { return first_pg_[osd + 1] - first_pg_[osd]; }

  /// The shard moves to `to`: both devices' use changes and the PG is done with.
  void apply(const Shard& shard, OsdId from, OsdId to);

 private:
  std::optional<Block> find_block(PgIndex pg) const;
  Shard shard_of(OsdId osd, PgIndex pg) const;
  void index_positions();
  void add_devices();

  const State& state_;
  const Rules& rules_;
  const Goal& goal_;
  double peak_limit_;
  uint64_t largest_size_ = 0;
  std::vector<Row> rows_;
  std::vector<bool> moved_;
  std::map<PgIndex, OsdId> left_;  ///< for the moved PGs, where from
  /// PGs of each device, one after the other; first_pg_ has one element more.
  std::vector<uint32_t> first_pg_;
  std::vector<PgIndex> pgs_;
  std::vector<std::optional<std::vector<Shard>>> shards_;  ///< by OSD id
  std::vector<uint8_t> blocks_;  ///< of PGs: 0 not looked at, 1 none, else 2 + Block
  std::map<OsdId, Causes> causes_;
};

}  // namespace plimsoll::mover
