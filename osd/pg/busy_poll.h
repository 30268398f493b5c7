// SPDX-License-Identifier: LGPL-2.1-or-later
// BusyPoll: whether a shard should look for what comes next instead of sleeping until it comes. It
// pays while the shard leads one write at a time: an acknowledgement, or the next write, is near
// then, and a CPU that sleeps takes long to wake (doc/decisions/024-busy-poll.md). Where several
// are under way there is work anyway, and the CPU belongs to it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace plimsoll::osd {

class BusyPoll {
 public:
  /// Writes in a row that have to be alone first: busy shards see one alone now and then.
  static constexpr size_t kAlone = 16;

  /// Calls `poll` at both ends of each write: true, look from now on for a while; false, sleep.
  explicit BusyPoll(std::function<void(bool)> poll) : poll_(std::move(poll)) {}

  struct End {
    void operator()(BusyPoll* p) const { p->end(); }
  };
  /// A write that the shard leads; it ends with this, before the BusyPoll does.
  using Write = std::unique_ptr<BusyPoll, End>;
  Write begin() {
    if (++under_way_ > 1) alone_ = 0;
    else if (alone_ < kAlone) alone_++;
    poll_(alone_ == kAlone);
    return Write(this);
  }

 private:
  void end() {
    under_way_--;
    poll_(alone_ == kAlone);
  }

  const std::function<void(bool)> poll_;
  size_t under_way_ = 0;
  size_t alone_ = 0;  ///< writes in a row, up to kAlone
};

}  // namespace plimsoll::osd
