// SPDX-License-Identifier: LGPL-2.1-or-later
// Fullness: what an OSD says of itself to the monitor: the worse of its blocks and its keys and
// values. It is full when its use is above the full line, or when it had to refuse a write for
// space: with loans (lender.h) use never crosses the line, and without the second rule nobody would
// ever hear of it. Refusal is sticky until there is room for what was refused and some more, since
// every change costs file system clients their unwritten data. And it is full when the host's file
// system is, before anything fails there: until the ballast is whole again and the host has its
// reserve and some more. Pure.
#pragma once

#include <optional>
#include <string>

#include "common/map/fullness.h"
#include "common/rt/task.h"

namespace plimsoll::osd {

class Fullness {
 public:
  static constexpr Duration kStickyFor = std::chrono::milliseconds(250);

  struct Space {
    uint64_t total = 0;
    uint64_t used = 0;
    uint64_t lent = 0;
    uint64_t kv_used = 0;   ///< keys and values, as charged
    uint64_t kv_limit = 0;  ///< 0: none
    // Of the host's file system:
    uint64_t host_free = UINT64_MAX;
    uint64_t host_reserve = 0;
    uint64_t ballast = 0;
    uint64_t ballast_whole = 0;
  };

  /// What the host must have free for its shortage to end.
  static uint64_t room_on_host(uint64_t reserve) { return reserve + reserve / 4; }

  /// A write of `bytes` was refused.
  void refused(uint64_t bytes, TimePoint now);
  /// Pretends to be in a state for so many updates; negative: until told otherwise.
  void inject(uint32_t state, bool failsafe, int64_t updates);
  /// Looks again; true where state, failsafe or reason changed.
  bool update(const Space& space, const map::FullRatios& ratios, TimePoint now);

  /// map::kOsdFullness bits, one or none.
  uint32_t state() const { return state_; }
  /// Not even forced writes may grow anything.
  bool failsafe() const { return failsafe_; }
  /// The host's file system has no room: nothing may be lent, whatever the blocks say.
  bool host_short() const { return host_short_; }
  /// Why it is full, where the use alone does not say it.
  const std::string& reason() const { return reason_; }
  bool injected() const { return injected_.has_value(); }

 private:
  struct Refusal {
    uint64_t bytes;
    TimePoint last;
  };
  struct Injected {
    uint32_t state;
    bool failsafe;
    int64_t updates;
  };
  std::string explain(const Space& space, uint64_t line) const;
  static uint64_t room_to_clear(uint64_t refused, uint64_t total);

  std::optional<Refusal> refusal_;
  bool host_short_ = false;
  std::optional<Injected> injected_;
  uint32_t state_ = 0;
  bool failsafe_ = false;
  std::string reason_;
};

}  // namespace plimsoll::osd
