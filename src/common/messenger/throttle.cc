// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/throttle.h"

namespace plimsoll::messenger {

struct Throttle::Token {
  Token(std::shared_ptr<Throttle> t, uint64_t b) : throttle(std::move(t)), bytes(b) {}
  Token(const Token&) = delete;
  ~Token() { throttle->release(bytes); }
  std::shared_ptr<Throttle> throttle;
  uint64_t bytes;
};

void Throttle::collect() {
  do {
    if (const uint64_t bytes = returned_.exchange(0)) available_.release(bytes);
    wanted_ = waiting_ > 0;
    // A release that came before wanted_ was set posted nothing: look again.
  } while (wanted_ && returned_.load() > 0);
}

void Throttle::release(uint64_t bytes) {
  returned_ += bytes;
  if (!wanted_.exchange(false)) return;
  post(executor_, [self = shared_from_this()] { self->collect(); });
}

uint64_t Throttle::used() {
  collect();
  return available_.used();
}

std::shared_ptr<void> Throttle::try_acquire(uint64_t bytes) {
  if (waiting_ > 0) return nullptr;
  if (returned_.load(std::memory_order_relaxed)) collect();
  const uint64_t used = available_.used();
  if (used > 0 && used + bytes > available_.capacity()) return nullptr;
  available_.take(bytes);
  return std::make_shared<Token>(shared_from_this(), bytes);
}

Task<std::shared_ptr<void>> Throttle::acquire(uint64_t bytes) {
  struct Waiting {
    explicit Waiting(size_t& n) : count(n) { count++; }
    ~Waiting() { count--; }
    size_t& count;
  };
  {
    Waiting waiting(waiting_);
    collect();
    co_await available_.acquire(bytes);
  }
  co_return std::make_shared<Token>(shared_from_this(), bytes);
}

}  // namespace plimsoll::messenger
