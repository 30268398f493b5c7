// SPDX-License-Identifier: LGPL-2.1-or-later
// ClientOp: one request of a client on its way through an OSD, and OpTracker, which knows all of a
// shard's that are under way and the last ones that ended (dump_ops_in_flight, dump_historic_ops).
// A request holds its share of the receive throttle until it is answered.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <list>

#include "common/messenger/messenger.h"
#include "common/msg/osd_messages.h"
#include "common/rt/clock.h"
#include "osd/ops/ops.h"

namespace plimsoll::osd {

class OpTracker;

struct ClientOp {
  messenger::ConnectionRef connection;
  msg::MOsdOp m;
  uint64_t tid = 0;
  uint64_t bytes = 0;  ///< of the whole message
  ReqId reqid;         ///< client's name and tid, filled in
  OpKinds kinds;
  HObject object;
  std::shared_ptr<void> throttle;
  Utime initiated;
  uint64_t arrival = 0;  ///< counts a shard's requests
  TimePoint received;
  TimePoint started;  ///< of work, after all waiting
  const char* state = "received";
  std::shared_ptr<OpTracker> tracker;
  std::list<ClientOp*>::iterator place;

  ClientOp() = default;
  ClientOp(const ClientOp&) = delete;
  ~ClientOp();
  /// "osd_op(client.4123.0:7 2.1f 2:f8...:::name:head [writefull 0~10] ... e12)"
  std::string describe() const;
};
using ClientOpRef = std::shared_ptr<ClientOp>;

struct OpTrackerLimits {
  size_t history_size = 20;
  Duration history_duration = 600s;
};

class OpTracker : public std::enable_shared_from_this<OpTracker> {
 public:
  OpTracker(Clock& clock, std::function<OpTrackerLimits()> limits)
      : clock_(clock), limits_(std::move(limits)) {}

  ClientOpRef start(messenger::ConnectionRef connection, msg::MOsdOp m, const msg::RawMessage& raw);
  size_t in_flight() const { return running_.size(); }
  /// One JSON object per request, oldest first.
  boost::json::array dump_in_flight() const;
  boost::json::array dump_history() const;
  /// Requests older than `age`.
  size_t slow(Duration age) const;

 private:
  friend struct ClientOp;
  void finish(ClientOp& op);
  boost::json::object dump(const ClientOp& op) const;

  Clock& clock_;
  std::function<OpTrackerLimits()> limits_;
  std::list<ClientOp*> running_;
  uint64_t arrivals_ = 0;
  struct Past {
    Duration took;
    TimePoint ended;
    std::string text;
    Utime initiated;
  };
  /// The slowest of the recent ones.
  std::vector<Past> history_;
};

}  // namespace plimsoll::osd
