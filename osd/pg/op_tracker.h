// SPDX-License-Identifier: LGPL-2.1-or-later
// OpTracker: all requests of a shard that are under way, the slowest of those that ended lately,
// and those that took very long (dump_ops_in_flight, dump_historic_ops and their kin). Text and
// JSON are made only for what is asked for or kept; a request that is not kept costs its steps.
#pragma once

#include <boost/json/array.hpp>
#include <functional>
#include <list>

#include "common/rt/clock.h"
#include "osd/pg/client_op.h"

namespace plimsoll::osd {

struct OpTrackerLimits {
  size_t history_size = 20;
  Duration history_duration = 600s;
  size_t slow_size = 20;
  Duration slow_threshold = 10s;
};

/// Selects requests by the addresses of their clients: "ip", "ip:port" or "ip:port/nonce". Texts
/// that are no addresses select nothing and forbid nothing, as in Ceph.
class OpFilter {
 public:
  OpFilter() = default;
  explicit OpFilter(const std::vector<std::string>& texts);
  bool selects(const EntityAddr& client) const;

 private:
  std::vector<EntityAddr> addrs_;
};

/// A request as it is shown, with what lists of several shards are sorted by.
struct OpDump {
  TimePoint received;
  Duration took;
  boost::json::object json;
};

class OpTracker : public std::enable_shared_from_this<OpTracker> {
 public:
  OpTracker(Clock& clock, std::function<OpTrackerLimits()> limits)
      : clock_(clock), limits_(std::move(limits)) {}

  ClientOpRef start(messenger::ConnectionRef connection, msg::MOsdOp m, const msg::RawMessage& raw);
  TimePoint now() const { return clock_.now(); }
  size_t in_flight() const { return running_.size(); }

  /// Those under way that are older than `age`.
  std::vector<OpDump> dump_in_flight(const OpFilter& filter, Duration age = Duration(-1)) const;
  std::vector<OpDump> dump_history(const OpFilter& filter) const { return dump(history_, filter); }
  std::vector<OpDump> dump_slow(const OpFilter& filter) const { return dump(slow_, filter); }

 private:
  friend struct ClientOp;
  /// What is kept of a request that has ended.
  struct Past {
    std::string text;
    Utime initiated;
    TimePoint received;
    TimePoint ended;
    ReqId reqid;
    EntityAddr client;
    OpEvents events;
    Duration took() const { return ended - received; }
  };
  void finish(ClientOp& op);
  static Past past_of(const ClientOp& op, TimePoint ended);
  OpDump dump(const Past& op, bool finished) const;
  std::vector<OpDump> dump(const std::vector<Past>& ops, const OpFilter& filter) const;

  Clock& clock_;
  std::function<OpTrackerLimits()> limits_;
  std::list<ClientOp*> running_;
  uint64_t arrivals_ = 0;
  std::vector<Past> history_;  ///< the slowest first
  std::vector<Past> slow_;     ///< the oldest first
};

}  // namespace plimsoll::osd
