// SPDX-License-Identifier: LGPL-2.1-or-later
// Virtual time. Schedule holds everything that will happen, ordered by time and, among equal times,
// by a tie drawn from the seed; the driver (world.h) takes the next event when no task is ready.
// Each event belongs to an incarnation of a host and goes with it; kWorld's stay. EventHash folds
// all that happened into one number: the same seed must give the same one.
#pragma once

#include <cstdio>
#include <map>
#include <set>

#include "common/base/rng.h"
#include "common/rt/clock.h"

namespace plimsoll::sim {

/// One run of one host; never reused.
using Incarnation = uint64_t;
inline constexpr Incarnation kWorld = 0;

class EventHash {
 public:
  enum class Kind : uint64_t { kTimer = 1, kDelivery, kDisk, kKv, kHost, kLog };
  void add(Kind kind, uint64_t a, uint64_t b = 0, uint64_t c = 0);
  void add(Kind kind, uint64_t a, std::string_view data);
  uint64_t value() const { return value_; }
  /// Also writes a line for each event: two runs that should be the same are compared by diff.
  void trace_to(std::FILE* file) { trace_ = file; }
  uint64_t events() const { return events_; }

 private:
  void mix(uint64_t v);
  uint64_t value_ = 0x9e3779b97f4a7c15;
  uint64_t events_ = 0;
  std::FILE* trace_ = nullptr;
};

class Schedule {
 public:
  struct Key {
    Duration at;
    uint64_t tie;
    uint64_t seq;
    auto operator<=>(const Key&) const = default;
  };

  explicit Schedule(Rng rng) : rng_(rng) {}
  TimePoint now() const { return now_; }
  Key add(Incarnation owner, Duration delay, std::function<void()> fn);
  void remove(const Key& key) { events_.erase(key); }
  /// Forgets what belongs to `owner`.
  void drop(Incarnation owner);
  /// Advances to the next event and runs it; false where there is none until `end`.
  bool run_next(TimePoint end);
  /// Advances where nothing happens.
  void advance_to(TimePoint t) { now_ = std::max(now_, t); }
  EventHash& hash() { return hash_; }

 private:
  struct Event {
    Incarnation owner;
    std::function<void()> fn;
  };
  Rng rng_;
  TimePoint now_;
  uint64_t next_seq_ = 0;
  std::map<Key, Event> events_;
  EventHash hash_;
};

/// The clock of one incarnation; its wall clock is off by a skew of its own.
class SimClock : public Clock {
 public:
  SimClock(Schedule& schedule, Incarnation owner, Duration skew)
      : schedule_(schedule), owner_(owner), skew_(skew) {}
  TimePoint now() const override { return schedule_.now(); }
  Utime wall() const override;
  Timer call_after(const Executor& executor, Duration delay, std::function<void()> fn) override;

 private:
  Schedule& schedule_;
  const Incarnation owner_;
  const Duration skew_;
};

}  // namespace plimsoll::sim
