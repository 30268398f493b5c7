// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_clock.h"

#include "common/base/crc32c.h"

namespace plimsoll::sim {

namespace {

constexpr const char* kKindNames[] = {"?", "timer", "delivery", "disk", "kv", "host", "log"};
constexpr int64_t kWallStart = 1'800'000'000;

/// Shared between the Timer, the schedule and the posted call; whoever is first decides.
struct SimTimer : Timer::Impl {
  SimTimer(Schedule& s, std::function<void()> f)
      : schedule(s), fn(std::make_shared<std::function<void()>>(std::move(f))) {}
  ~SimTimer() override {
    if (!*fn) return;
    *fn = nullptr;
    schedule.remove(key);
  }
  Schedule& schedule;
  std::shared_ptr<std::function<void()>> fn;
  Schedule::Key key{};
};

}  // namespace

void EventHash::mix(uint64_t v) {
  value_ = (value_ ^ v) * 0xbf58476d1ce4e5b9;
  value_ ^= value_ >> 29;
}

void EventHash::add(Kind kind, uint64_t a, uint64_t b, uint64_t c) {
  events_++;
  if (trace_) {
    const auto number = [](uint64_t v) { return static_cast<unsigned long long>(v); };
    std::fprintf(trace_, "%llu %s %llx %llx %llx\n", number(events_),
                 kKindNames[static_cast<size_t>(kind)], number(a), number(b), number(c));
  }
  mix(static_cast<uint64_t>(kind));
  mix(a);
  mix(b);
  mix(c);
}

void EventHash::add(Kind kind, uint64_t a, std::string_view data) {
  add(kind, a, data.size(), crc32c(0xffffffff, data));
}

Schedule::Key Schedule::add(Incarnation owner, Duration delay, std::function<void()> fn) {
  const Key key{now_.since_start + std::max(delay, Duration(0)), rng_.next(), next_seq_++};
  events_.emplace(key, Event{owner, std::move(fn)});
  return key;
}

void Schedule::drop(Incarnation owner) {
  std::erase_if(events_, [owner](const auto& e) { return e.second.owner == owner; });
}

bool Schedule::run_next(TimePoint end) {
  if (events_.empty() || events_.begin()->first.at > end.since_start) return false;
  auto event = events_.extract(events_.begin());
  now_.since_start = event.key().at;
  event.mapped().fn();
  return true;
}

Utime SimClock::wall() const {
  return Utime::from_nanos(kWallStart * 1'000'000'000 + (now().since_start + skew_).count());
}

Timer SimClock::call_after(const Executor& executor, Duration delay, std::function<void()> fn) {
  auto timer = std::make_unique<SimTimer>(schedule_, std::move(fn));
  auto fire = [this, executor, fn = timer->fn] {
    schedule_.hash().add(EventHash::Kind::kTimer, owner_, now().since_start.count());
    post(executor, [fn] {
      // Moved out first: the call may destroy the Timer.
      if (auto call = std::exchange(*fn, nullptr)) call();
    });
  };
  timer->key = schedule_.add(owner_, delay, std::move(fire));
  return Timer(std::move(timer));
}

}  // namespace plimsoll::sim
