// SPDX-License-Identifier: LGPL-2.1-or-later
// Engine: makes single moves, in the order in which they are thought of. All goals are made of two
// motions: shed() takes from a source until its aim is reached, and feed() brings to a target. What
// cannot be done is tallied as the source's causes. Every search is bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mover/plan/book.h"
#include "mover/plan/groups.h"
#include "mover/plan/targets.h"

namespace plimsoll::mover {

class Engine {
 public:
  explicit Engine(Book& book) : book_(book), targets_(book) {}

  /// One move off the source; false when nothing more of it can go.
  bool shed(OsdId from);
  /// One move to the target from the fullest of its group that stay above `floor`; false when none
  /// fits.
  bool feed(OsdId to, const Group& group, uint64_t need, double floor);
  /// A move by hand, or why not.
  std::optional<Block> move(const HandMove& move);

  bool limit_reached() const { return limit_reached_; }
  uint64_t tries() const { return tries_; }
  std::vector<Move> take_moves() { return std::move(moves_); }

 private:
  struct Found {
    OsdId to = kNoOsd;
    Block block = Block::kNoTarget;  ///< where there is none
  };

  Found find_target(const Shard& shard);
  Found search(const Targets::Ordered& targets, const Shard& shard);
  std::optional<Block> refuses(const Shard& shard, OsdId to) const;
  std::optional<map::UpmapItems> items_for(const Shard& shard, OsdId to) const;
  bool shed_with_swap(OsdId from, const Shard& shard);
  bool swap_on(OsdId from, OsdId to, const Shard& shard);
  bool within_limits(uint64_t bytes);
  void commit(const Shard& shard, OsdId from, OsdId to, Why why, uint64_t need);

  Book& book_;
  Targets targets_;
  std::vector<Move> moves_;
  std::vector<Scope> scopes_;
  uint64_t tries_ = 0;
  uint64_t bytes_ = 0;
  uint64_t swap_tries_ = 0;
  bool limit_reached_ = false;
};

}  // namespace plimsoll::mover
