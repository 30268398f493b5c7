// SPDX-License-Identifier: LGPL-2.1-or-later
// Time. The only source of it: real time in daemons, virtual time in the simulator.
#pragma once

#include <functional>
#include <memory>

#include "common/rt/task.h"
#include "common/wire/types.h"

namespace plimsoll {

/// Owns one pending call; destroying it cancels the call.
class Timer {
 public:
  struct Impl {
    virtual ~Impl() = default;
  };
  Timer() = default;
  explicit Timer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
  void cancel() { impl_.reset(); }

 private:
  std::unique_ptr<Impl> impl_;
};

class Clock {
 public:
  virtual ~Clock() = default;
  /// Monotonic.
  virtual TimePoint now() const = 0;
  /// Wall clock; may jump.
  virtual Utime wall() const = 0;
  /// Calls `fn` on `executor` after `delay`, unless the Timer is gone by then.
  [[nodiscard]] virtual Timer call_after(const Executor& executor, Duration delay,
                                         std::function<void()> fn) = 0;
  /// Suspends the calling task.
  Task<void> sleep(Duration delay);
};

}  // namespace plimsoll
