// SPDX-License-Identifier: LGPL-2.1-or-later
// The machine's clocks and timers.
#pragma once

#include "common/rt/clock.h"

namespace plimsoll::real {

class RealClock : public Clock {
 public:
  RealClock();
  TimePoint now() const override;
  Utime wall() const override;
  Timer call_after(const Executor& executor, Duration delay, std::function<void()> fn) override;

 private:
  const Duration start_;
};

}  // namespace plimsoll::real
