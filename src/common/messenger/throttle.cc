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
    const uint64_t bytes = returned_bytes_.exchange(0);
    if (const uint64_t messages = returned_messages_.exchange(0)) messages_.release(messages);
    if (bytes) bytes_.release(bytes);
    wanted_ = waiting_ > 0;
    // A release that came before wanted_ was set posted nothing: look again.
  } while (wanted_ && returned_bytes_.load() > 0);
}

void Throttle::release(uint64_t bytes) {
  returned_messages_++;
  returned_bytes_ += bytes;
  if (!wanted_.exchange(false)) return;
  post(executor_, [self = shared_from_this()] { self->collect(); });
}

uint64_t Throttle::used_bytes() {
  collect();
  return bytes_.used();
}

uint64_t Throttle::used_messages() {
  collect();
  return messages_.used();
}

void Throttle::set_capacity(uint64_t bytes, uint64_t messages) {
  if (bytes == bytes_.capacity() && messages == messages_.capacity()) return;
  bytes_.set_capacity(bytes);
  messages_.set_capacity(messages);
}

std::shared_ptr<void> Throttle::try_acquire(uint64_t bytes) {
  if (waiting_ > 0) return nullptr;
  if (returned_bytes_.load(std::memory_order_relaxed)) collect();
  const uint64_t used = bytes_.used();
  if (used > 0 && used + bytes > bytes_.capacity()) return nullptr;
  if (messages_.used() >= messages_.capacity()) return nullptr;
  messages_.take(1);
  bytes_.take(bytes);
  return std::make_shared<Token>(shared_from_this(), bytes);
}

Task<std::shared_ptr<void>> Throttle::acquire(uint64_t bytes) {
  struct Waiting {
    explicit Waiting(Throttle& t) : throttle(t) { throttle.waiting_++; }
    ~Waiting() {
      throttle.waiting_--;
      if (has_message) throttle.messages_.release(1);
    }
    Throttle& throttle;
    bool has_message = false;
  };
  {
    Waiting waiting(*this);
    collect();
    co_await messages_.acquire(1);
    waiting.has_message = true;
    co_await bytes_.acquire(bytes);
    waiting.has_message = false;
  }
  co_return std::make_shared<Token>(shared_from_this(), bytes);
}

}  // namespace plimsoll::messenger
