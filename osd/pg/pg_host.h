// SPDX-License-Identifier: LGPL-2.1-or-later
// PgHost: what a PG needs of the OSD around it. All of it may be called from any shard.
#pragma once

#include "common/config/config.h"
#include "common/map/osd_map.h"
#include "common/metrics/counters.h"
#include "common/msg/message.h"
#include "common/msg/osd_peer_messages.h"
#include "common/rt/runtime.h"
#include "osd/ops/copy_source.h"
#include "osd/store/object_store.h"

namespace plimsoll::osd {

using MapRef = std::shared_ptr<const map::OSDMap>;

class Watch;

class PgHost {
 public:
  virtual ~PgHost() = default;
  virtual OsdId whoami() const = 0;
  virtual Runtime& runtime() = 0;
  virtual const config::Config& config() const = 0;
  virtual metrics::Counters& counters() = 0;
  /// A store that may be called from the PG's shard.
  virtual ObjectStore& store() = 0;
  virtual CopySource& copies() = 0;
  /// Above the failsafe line: nothing may grow.
  virtual bool failsafe() const = 0;
  /// For a copy of so many bytes, which recovery makes at once; false where it would lift use above
  /// the full line or, with `reserve`, for what a PG needs before it can serve, the failsafe line.
  virtual bool take_room_for_copy(uint64_t bytes, bool reserve) = 0;
  /// Asks `from` to lend space to a shard; the answer goes to the shard's CreditPool.
  virtual void ask_credit(uint32_t shard, OsdId from, bool reserve, bool ahead, uint64_t want) = 0;
  virtual void return_credit(uint32_t shard, OsdId to, uint64_t bytes) = 0;
  /// The store is called directly, and has set space aside when commit() returns.
  virtual bool store_is_direct() const = 0;
  /// Our own store has taken a write that spends so much.
  virtual void credit_spent(uint32_t shard, uint64_t bytes) = 0;
  /// `osd`, with a new connection, lends us only what lies in these unanswered writes.
  virtual void reset_credit(uint32_t shard, OsdId osd, uint64_t in_flight) = 0;
  /// Room to hold a request that waits for space; false where there is none.
  virtual bool park(uint64_t bytes) = 0;
  virtual void unpark(uint64_t bytes) = 0;
  /// For a request that waits for its PG. Such ones get a part of what the OSD accepts, so that the
  /// rest stays for PGs that serve; null where they have it already.
  virtual std::shared_ptr<void> held_slot() = 0;
  /// For a PG that brings an OSD up to date: osd_max_backfills do so at a time. Null where there
  /// are as many; PgShard::retry_joining() follows when one is free.
  virtual std::shared_ptr<void> join_slot() = 0;
  /// How many log entries each PG keeps.
  virtual size_t pg_log_target() const = 0;
  /// Sends by the address in `map`; lost where the connection breaks.
  virtual void send_to_osd(OsdId osd, const MapRef& map, msg::RawMessage message) = 0;
  /// `newcomer` has all of a PG that `home` has held since `since`: the monitor is told.
  virtual void ask_to_join(msg::PgHeader pg, std::vector<OsdId> home, OsdId newcomer) = 0;
  /// A PG's state changed: the monitor should hear of it at once.
  virtual void pg_state_changed() = 0;
  /// A line of the cluster log, for people who look after it.
  virtual void cluster_error(std::string text) = 0;
  /// The store can no longer be trusted: log it and stop the daemon.
  virtual void fatal(const Error& error) = 0;
  /// Null but in a simulation.
  virtual Watch* watch() = 0;
};

}  // namespace plimsoll::osd
