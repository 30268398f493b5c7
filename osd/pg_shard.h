// SPDX-License-Identifier: LGPL-2.1-or-later
// PgShard: the PGs that are pinned to one executor, and what they share: the map they have come to,
// the requests that wait for a newer one. Everything but construction happens on that executor.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

class PgShard {
 public:
  PgShard(PgHost& host, Executor executor, size_t index, size_t count);

  const Executor& executor() const { return executor_; }
  bool owns(PgId pg) const { return shard_of(pg, count_) == index_; }
  static size_t shard_of(PgId pg, size_t count) {
    return (static_cast<size_t>(pg.pool) * 0x9e3779b97f4a7c15 + pg.seed) % count;
  }

  /// Loads those of `pgs` that belong here.
  Task<Result<>> load(std::vector<PgId> pgs);
  /// The next epoch: creates PGs that belong here, removes those of deleted pools.
  void on_map(MapRef map);
  void on_client_message(messenger::ConnectionRef from, msg::RawMessage raw);
  void on_peer_message(messenger::ConnectionRef from, msg::RawMessage raw);
  void on_peer_reset(OsdId osd);
  void tick();
  /// What the PGs here have borrowed.
  CreditPool& credits() { return credits_; }
  void retry_parked();
  void retry_joining();
  Task<void> stop();

  /// Statistics of the PGs that this OSD leads; those that changed, or all.
  std::vector<map::PgStat> stats(bool all);
  struct Counts {
    size_t pgs = 0, primary = 0, replica = 0, stray = 0, removing = 0;
  };
  Counts counts() const;
  Pg* find(PgId id);
  std::vector<PgId> ids() const;
  OpTracker& tracker() { return *tracker_; }

 private:
  struct Waiting {
    messenger::ConnectionRef from;
    msg::RawMessage raw;
    Epoch epoch;
    bool client;
    PgId pg;  ///< of a peer's message
  };
  static constexpr size_t kMaxWaiting = 20'000;

  CreditPool::Hooks credit_hooks();
  void busy_poll(bool look);
  void forget_lenders(const map::OSDMap& last);
  std::unique_ptr<Pg> make_pg(PgId id);
  void create_pgs();
  void remove_pgs();
  Task<void> remove(std::unique_ptr<Pg> pg);
  void remove_stray(PgId id);
  void on_client_op(messenger::ConnectionRef from, msg::RawMessage raw);
  void on_backoff_ack(messenger::ConnectionRef from, msg::RawMessage raw);
  void wait_for_map(Waiting w);
  void retry_waiting();

  /// For what is posted here: gone when stop() returns, on this executor, before the shard is.
  std::shared_ptr<PgShard> self_{this, [](PgShard*) {}};
  PgHost& host_;
  const Executor executor_;
  const size_t index_;
  const size_t count_;
  Logger log_;
  TaskGroup tasks_;
  std::shared_ptr<OpTracker> tracker_;
  CreditPool credits_;
  BusyPoll busy_poll_;
  bool retry_posted_ = false;
  MapRef map_;
  std::map<PgId, std::unique_ptr<Pg>> pgs_;
  std::vector<Waiting> waiting_;  ///< for a newer map
  std::set<PgId> removing_;
};

}  // namespace plimsoll::osd
