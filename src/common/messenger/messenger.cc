// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/messenger.h"

#include "common/messenger/link.h"

namespace plimsoll::messenger {

namespace {

/// A capacity of 0 means that there is none.
uint64_t or_none(uint64_t capacity) {
  return capacity ? capacity : UINT64_MAX;
}

/// How often connections are looked at within the idle timeout.
constexpr int kIdleChecks = 4;

}  // namespace

class Messenger::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Runtime& runtime, const config::Config& config, EntityName self, Auth& auth,
       MessengerOptions options)
      : context(std::make_shared<LinkContext>(runtime, config, self, auth, options)),
        accept_slots(config.ms_max_accept()) {}

  /// A link that takes one of the slots for as long as its task runs.
  static Task<void> accept_one(std::shared_ptr<Impl> impl, std::unique_ptr<Stream> stream) {
    struct Slot {
      Semaphore& slots;
      ~Slot() { slots.release(1); }
    } slot{impl->accept_slots};
    auto link = std::make_shared<Link>(impl->context);
    impl->context->links.insert(link);
    co_await link->run_accepted(std::move(stream));
  }

  /// Beyond the slots, one stream of each listener waits here and the others in the kernel.
  static Task<void> accept_all(std::shared_ptr<Impl> impl, Listener& listener) {
    while (!impl->context->tasks.stopping()) {
      auto stream = co_await listener.accept();
      if (stream) {
        co_await impl->accept_slots.acquire(1);
        if (impl->is_shut) co_return;
        impl->context->tasks.spawn(accept_one(impl, std::move(*stream)));
        continue;
      }
      if (stream.error().code() == ECANCELED) co_return;
      // Out of descriptors, most likely: closing connections will help.
      impl->context->log.warn("accept: {}", stream.error().to_string());
      co_await impl->context->runtime.clock().sleep(100ms);
    }
  }

  void watch_idle() {
    const uint64_t seconds = context->config.ms_connection_idle_timeout();
    const Duration pause = std::chrono::milliseconds((seconds ? seconds : 60) * 1000 / kIdleChecks);
    idle_timer = context->runtime.clock().call_after(context->executor, pause,
                                                     [weak = weak_from_this(), seconds] {
                                                       auto impl = weak.lock();
                                                       if (!impl) return;
                                                       if (seconds) impl->drop_idle();
                                                       impl->watch_idle();
                                                     });
  }

  /// A link is idle when it was silent for kIdleChecks checks in a row.
  void drop_idle() {
    std::map<Link*, int> silent;
    std::vector<std::shared_ptr<Link>> idle;
    for (const auto& link : context->links) {
      if (!link->was_idle()) continue;
      const int checks = silent_checks[link.get()] + 1;
      if (checks < kIdleChecks)
        silent[link.get()] = checks;
      else
        idle.push_back(link);
    }
    silent_checks = std::move(silent);
    for (const auto& link : idle) link->fail_with(fail(ETIMEDOUT, "idle for too long"));
  }

  void shut() {
    is_shut = true;
    context->dispatcher = nullptr;
    idle_timer.cancel();
    if (listener) listener->close();
    if (listener_here) listener_here->close();
    while (!context->links.empty()) {
      const auto link = *context->links.begin();
      link->fail_with(fail(ECANCELED, "messenger stopped"));
      context->links.erase(link);
    }
  }

  const std::shared_ptr<LinkContext> context;
  std::unique_ptr<Listener> listener;
  std::unique_ptr<Listener> listener_here;  ///< for peers on this host, or null
  Semaphore accept_slots;
  Timer idle_timer;
  std::map<Link*, int> silent_checks;
  bool is_shut = false;
};

Messenger::Messenger(Runtime& runtime, const config::Config& config, EntityName self, Auth& auth,
                     MessengerOptions options)
    : impl_(std::make_shared<Impl>(runtime, config, self, auth, options)) {
  impl_->watch_idle();
}

Messenger::~Messenger() {
  impl_->shut();
}

void Messenger::set_dispatcher(Dispatcher* dispatcher) {
  impl_->context->dispatcher = dispatcher;
}

Result<EntityAddr> Messenger::bind(EntityAddr at) {
  CHECK(!impl_->listener);
  LinkContext& context = *impl_->context;
  Net& net = context.runtime.net();
  TRY(listener, net.listen(at));
  at.port = listener->local().port;
  if (context.config.ms_local_sockets()) {
    auto here = net.listen_here(at);
    // Another's: peers would find that one instead of us.
    if (!here && here.error().code() == EADDRINUSE) return here.error();
    if (here) impl_->listener_here = std::move(*here);
    else context.log.info("only TCP, {}", here.error().text());
  }
  at.type = EntityAddr::kMsgr2;
  at.nonce = context.self.type == EntityType::kMon ? 0 : context.nonce;
  context.addr = at;
  impl_->listener = std::move(listener);
  for (auto* l : {impl_->listener.get(), impl_->listener_here.get()})
    if (l) context.tasks.spawn(Impl::accept_all(impl_, *l));
  return at;
}

EntityAddr Messenger::addr() const {
  return impl_->context->addr;
}
void Messenger::set_self(EntityName self) {
  impl_->context->self = self;
}
EntityName Messenger::self() const {
  return impl_->context->self;
}
uint64_t Messenger::throttled_bytes() const {
  return impl_->context->throttle->used_bytes();
}
uint64_t Messenger::throttled_messages() const {
  return impl_->context->throttle->used_messages();
}
void Messenger::set_throttle(uint64_t bytes, uint64_t messages) {
  impl_->context->throttle->set_capacity(or_none(bytes), or_none(messages));
}
size_t Messenger::connections() const {
  return impl_->context->links.size();
}

ConnectionRef Messenger::connect(EntityType peer_type, EntityAddr to) {
  LinkContext& context = *impl_->context;
  auto link = std::make_shared<Link>(impl_->context);
  if (context.tasks.stopping()) {
    link->close();
    return link;
  }
  context.links.insert(link);
  context.tasks.spawn(link->run_connecting(peer_type, to));
  return link;
}

Task<void> Messenger::stop() {
  // The tasks hold what they use; `this` may go while they end.
  const auto impl = impl_;
  impl->shut();
  co_await impl->context->tasks.stop();
}

}  // namespace plimsoll::messenger
