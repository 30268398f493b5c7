// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/real_clock.h"

#include <boost/asio/steady_timer.hpp>

namespace plimsoll::real {

namespace {

/// The call is shared with the handler, which may already be queued when the Timer goes.
struct RealTimer : Timer::Impl {
  RealTimer(const Executor& executor, Duration delay, std::function<void()> f)
      : timer(executor, delay), fn(std::make_shared<std::function<void()>>(std::move(f))) {
    timer.async_wait([fn = fn](const boost::system::error_code& ec) {
      if (ec || !*fn) return;
      // Moved out first: the call may destroy the Timer.
      auto call = std::exchange(*fn, nullptr);
      call();
    });
  }
  ~RealTimer() override { *fn = nullptr; }

  boost::asio::steady_timer timer;
  std::shared_ptr<std::function<void()>> fn;
};

}  // namespace

RealClock::RealClock() : start_(std::chrono::steady_clock::now().time_since_epoch()) {}

TimePoint RealClock::now() const {
  return {std::chrono::steady_clock::now().time_since_epoch() - start_};
}

Utime RealClock::wall() const {
  const Duration since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Utime::from_nanos(since_epoch.count());
}

Timer RealClock::call_after(const Executor& executor, Duration delay, std::function<void()> fn) {
  return Timer(std::make_unique<RealTimer>(executor, delay, std::move(fn)));
}

}  // namespace plimsoll::real
