// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/link.h"

#include <fmt/core.h>

namespace plimsoll::messenger {

namespace {

std::shared_ptr<Throttle> make_throttle(const Executor& executor, const config::Config& config,
                                        const MessengerOptions& options) {
  const uint64_t bytes = options.dispatch_throttle_bytes ? options.dispatch_throttle_bytes
                                                         : config.ms_dispatch_throttle_bytes();
  const uint64_t messages = options.dispatch_throttle_messages;
  return std::make_shared<Throttle>(executor, bytes ? bytes : UINT64_MAX,
                                    messages ? messages : UINT64_MAX);
}

}  // namespace

LinkContext::LinkContext(Runtime& rt, const config::Config& conf, EntityName who, Auth& a,
                         MessengerOptions o)
    : runtime(rt),
      config(conf),
      options(o),
      executor(rt.executor()),
      auth(a),
      self(who),
      nonce(static_cast<uint32_t>(rt.rng().next()) | 1),
      throttle(make_throttle(executor, conf, o)),
      tasks(executor),
      log(log::Subsystem::kMs, who.to_string()) {}

Link::Link(std::shared_ptr<LinkContext> context) : context_(std::move(context)) {
  number = context_->next_number++;
}

Link::~Link() {
  drop_queue();
}

// ---- sending ------------------------------------------------------------------------------------

void Link::send(msg::RawMessage message) {
  if (!is_open()) return;
  queued_bytes_ += message.bytes() + kQueueCharge;
  auto* item = new Outgoing{std::move(message), nullptr};
  Outgoing* head = inbox_.load(std::memory_order_relaxed);
  do item->next = head;
  while (!inbox_.compare_exchange_weak(head, item, std::memory_order_acq_rel,
                                       std::memory_order_relaxed));
  // From here on the item is not ours any more. Whoever found the stack empty sees to it.
  if (!head) dispatch(context_->executor, [self = shared_from_this()] { self->collect(); });
}

void Link::collect() {
  Outgoing* item = inbox_.exchange(nullptr, std::memory_order_acquire);
  Outgoing* oldest = nullptr;
  while (item) {
    Outgoing* next = std::exchange(item->next, oldest);
    oldest = std::exchange(item, next);
  }
  while (oldest) {
    if (is_open()) outgoing_.push_back(std::move(oldest->message));
    delete std::exchange(oldest, oldest->next);
  }
  const size_t queued = queued_bytes_.load();
  if (is_open() && queued > context_->options.send_limit_bytes) {
    // Later: no sender expects to hear of the link's end within its call.
    return post(context_->executor, [self = shared_from_this(), queued] {
      const std::string text = fmt::format("the peer does not read: {} bytes queued", queued);
      self->fail_with(fail(ENOBUFS, text));
    });
  }
  wake_.notify_one();
}

void Link::drop_queue() {
  for (Outgoing* item = inbox_.exchange(nullptr); item;) delete std::exchange(item, item->next);
}

void Link::keepalive() {
  post(context_->executor, [self = shared_from_this()] {
    if (!self->is_open()) return;
    add_frame(self->control_, Keepalive2Frame{self->context_->runtime.clock().wall()});
    self->wake_.notify_one();
  });
}

Task<void> Link::write_queued() {
  const auto self = shared_from_this();
  while (is_open()) {
    if (outgoing_.empty() && control_.empty()) {
      co_await wake_.wait();
      continue;
    }
    FrameWriter out = std::exchange(control_, {});
    size_t bytes = 0;
    for (msg::RawMessage& m : outgoing_) {
      const MessageHeader header{++out_seq_, m.tid,   m.type,  m.priority,
                                 m.version,  in_seq_, m.compat};
      bytes += m.bytes() + kQueueCharge;
      out.add(header, m);
    }
    outgoing_.clear();
    std::vector<Bytes> pieces = out.take();
    auto written = co_await stream_->write(std::move(pieces));
    queued_bytes_ -= bytes;
    active_ = true;
    if (!written)
      fail_with(written.error());
    else
      drained_.notify_all();
  }
}

// ---- ending -------------------------------------------------------------------------------------

void Link::close() {
  if (closed_.exchange(true)) return;
  post(context_->executor, [self = shared_from_this()] { self->shut(); });
}

void Link::shut() {
  closed_ = true;
  if (stream_) stream_->close();
  ack_timer_.cancel();
  outgoing_.clear();
  drop_queue();
  wake_.notify_all();
  drained_.notify_all();
  context_->links.erase(shared_from_this());
}

void Link::fail_with(const Error& error) {
  if (closed_.exchange(true)) return;
  const auto self = shared_from_this();
  context_->log.debug(1, "{}: {}", describe(), error.to_string());
  shut();
  if (dispatched_ && context_->dispatcher) context_->dispatcher->on_reset(self);
}

std::string Link::describe() const {
  const bool known = established_.peer.type != EntityType::kNone;
  return known ? fmt::format("{} {}", established_.peer.to_string(), remote_.to_string())
               : "connection with " + remote_.to_string();
}

// ---- life ---------------------------------------------------------------------------------------

HandshakeSelf Link::handshake_self() {
  return {context_->self, context_->addr, context_->nonce, context_->next_global_seq++,
          context_->auth};
}

Timer Link::handshake_timer() {
  const auto limit = std::chrono::seconds(context_->config.ms_connection_ready_timeout());
  return context_->runtime.clock().call_after(
      context_->executor, limit, [weak = weak_from_this(), limit] {
        const std::string text = fmt::format("handshake not done in {} s", limit.count());
        if (auto self = weak.lock()) self->fail_with(fail(ETIMEDOUT, text));
      });
}

Task<void> Link::run_accepted(std::unique_ptr<Stream> stream) {
  const auto self = shared_from_this();
  stream_ = std::move(stream);
  accepted_ = true;
  remote_ = stream_->remote();
  Timer timer = handshake_timer();
  FrameReader reader(*stream_);
  const HandshakeSelf us = handshake_self();
  auto established = co_await accept_handshake(*stream_, reader, us);
  timer.cancel();
  if (!established) co_return fail_with(established.error());
  fail_with(co_await serve(reader, std::move(*established)));
}

Task<void> Link::run_connecting(EntityType peer_type, EntityAddr to) {
  const auto self = shared_from_this();
  remote_ = to;
  dispatched_ = true;
  auto stream = co_await connect(to);
  if (!is_open()) co_return;
  if (!stream) co_return fail_with(stream.error());
  stream_ = std::move(*stream);
  Timer timer = handshake_timer();
  FrameReader reader(*stream_);
  const HandshakeSelf us = handshake_self();
  auto established = co_await connect_handshake(*stream_, reader, us, peer_type, to);
  timer.cancel();
  if (!established) co_return fail_with(established.error());
  fail_with(co_await serve(reader, std::move(*established)));
}

Task<Result<std::unique_ptr<Stream>>> Link::connect(EntityAddr to) {
  Net& net = context_->runtime.net();
  if (context_->config.ms_local_sockets()) {
    auto stream = co_await net.connect_here(to);
    if (stream) co_return stream;
  }
  co_return co_await net.connect(to);
}

Task<Error> Link::serve(FrameReader& reader, Established established) {
  if (!is_open()) co_return fail(ECANCELED);
  established_ = std::move(established);
  last_ack_ = context_->runtime.clock().now().since_start.count();
  dispatched_ = true;
  context_->log.debug(10, "{}: open", describe());
  if (context_->dispatcher) context_->dispatcher->on_open(shared_from_this());
  context_->tasks.spawn(write_queued());

  // Only clients are held back: daemons bound what they send each other by themselves, and one that
  // waits for another's answer while its clients use up the throttle would wait for ever.
  Throttle* const throttle =
      established_.peer.type == EntityType::kClient ? context_->throttle.get() : nullptr;
  while (is_open()) {
    auto frame = co_await reader.next(throttle, context_->config.ms_max_frame_bytes());
    if (!frame) co_return frame.error();
    if (!is_open()) break;
    active_ = true;
    if (auto handled = handle(std::move(*frame)); !handled) co_return handled.error();
    // Only who accepted pauses: two ends that both wait for the other to read would wait for ever.
    while (accepted_ && is_open() && queued_bytes_.load() > context_->options.send_pause_bytes)
      co_await drained_.wait();
  }
  co_return fail(ECANCELED);
}

Result<> Link::handle(Frame frame) {
  switch (frame.tag) {
    case Tag::kMessage: {
      msg::RawMessage& m = frame.message;
      m.type = frame.header.type;
      m.version = frame.header.version;
      m.compat = frame.header.compat;
      m.priority = frame.header.priority;
      m.tid = frame.header.tid;
      m.seq = in_seq_ = frame.header.seq;
      if (context_->log.enabled(20))
        context_->log.debug(20, "{}: {} tid {} ({} bytes)", describe(), msg::message_name(m.type),
                            m.tid, m.bytes());
      if (context_->dispatcher) context_->dispatcher->on_message(shared_from_this(), std::move(m));
      return {};
    }
    case Tag::kKeepalive2:
      answer_keepalive(frame.payload);
      return {};
    case Tag::kKeepalive2Ack:
      last_ack_ = context_->runtime.clock().now().since_start.count();
      return {};
    case Tag::kAck:  // of no use where nothing is resent
      return {};
    default:
      return fail(EPROTO, "unexpected " + tag_name(frame.tag) + " after the handshake");
  }
}

void Link::answer_keepalive(const Bytes& payload) {
  auto answer = [weak = weak_from_this(), payload] {
    auto self = weak.lock();
    if (!self || !self->is_open()) return;
    self->control_.add(Tag::kKeepalive2Ack, payload.view());
    self->wake_.notify_one();
  };
  const Duration delay = context_->options.keepalive_ack_delay;
  // One answer is enough when several are asked for within the delay.
  if (delay.count())
    ack_timer_ = context_->runtime.clock().call_after(context_->executor, delay, answer);
  else
    answer();
}

}  // namespace plimsoll::messenger
