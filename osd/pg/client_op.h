// SPDX-License-Identifier: LGPL-2.1-or-later
// ClientOp: one request of a client on its way through an OSD, and the steps it has come to
// (OpEvents). Steps are names and times in place: taking one allocates nothing. OpTracker begins
// and ends requests. A request holds its share of the receive throttle until it is answered.
#pragma once

#include <array>
#include <list>
#include <memory>
#include <string>

#include "common/messenger/messenger.h"
#include "common/msg/osd_messages.h"
#include "osd/ops/ops.h"

namespace plimsoll::osd {

class OpTracker;

/// Steps in the order of time; beyond the bound the last is replaced. Names are literals.
class OpEvents {
 public:
  static constexpr size_t kMost = 16;
  struct Event {
    const char* name;
    TimePoint at;
  };

  void add(const char* name, TimePoint at) {
    if (count_ < kMost) count_++;
    events_[count_ - 1] = {name, at};
  }
  const Event* begin() const { return events_.data(); }
  const Event* end() const { return events_.data() + count_; }
  /// The newest; there must be one.
  const Event& last() const { return events_[count_ - 1]; }

 private:
  std::array<Event, kMost> events_;
  size_t count_ = 0;
};

struct ClientOp {
  messenger::ConnectionRef connection;
  msg::MOsdOp m;
  uint64_t tid = 0;
  uint64_t bytes = 0;  ///< of the whole message
  ReqId reqid;         ///< client's name and tid, filled in
  OpKinds kinds;
  HObject object;
  std::shared_ptr<void> throttle;
  std::shared_ptr<void> held;  ///< while it waits for its PG
  Utime initiated;
  uint64_t arrival = 0;  ///< counts a shard's requests
  TimePoint received;
  TimePoint started;  ///< of work, after all waiting
  OpEvents events;
  bool healed = false;  ///< what it met damaged was looked for elsewhere
  std::shared_ptr<OpTracker> tracker;
  std::list<ClientOp*>::iterator place;

  ClientOp() = default;
  ClientOp(const ClientOp&) = delete;
  ~ClientOp();
  /// The request has come to the step `event`, a literal; the time that is noted.
  TimePoint note(const char* event);
  /// "osd_op(client.4123.0:7 2.1f 2:f8...:::name:head [writefull 0~10] ... e12)"
  std::string describe() const;
};
using ClientOpRef = std::shared_ptr<ClientOp>;

}  // namespace plimsoll::osd
