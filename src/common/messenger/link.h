// SPDX-License-Identifier: LGPL-2.1-or-later
// Link: the Connection that Messenger hands out. One task connects or accepts, shakes hands and
// then reads and dispatches; another writes all that is queued in one gathered write. send() from
// any thread pushes onto a lock-free stack, and the first to push onto an empty one wakes the
// writer, in one step where it runs on the links' executor. The writer comes to it behind what is
// ready by then, so whatever is sent within one turn of the executor leaves together, and before
// what the sender starts afterwards.
#pragma once

#include <atomic>
#include <set>

#include "common/log/log.h"
#include "common/messenger/handshake.h"
#include "common/messenger/messenger.h"
#include "common/rt/task_group.h"

namespace plimsoll::messenger {

class Link;

/// What the links of one messenger share. All on its executor, but for what never changes.
struct LinkContext {
  LinkContext(Runtime& runtime, const config::Config& config, EntityName self, Auth& auth,
              MessengerOptions options);

  Runtime& runtime;
  const config::Config& config;
  const MessengerOptions options;
  const Executor executor;
  Auth& auth;
  EntityName self;
  EntityAddr addr;  ///< where we listen
  uint32_t nonce;
  uint64_t next_global_seq = 1;
  Dispatcher* dispatcher = nullptr;  ///< null once stopped
  std::shared_ptr<Throttle> throttle;
  uint64_t next_number = 1;
  std::set<std::shared_ptr<Link>, ConnectionOrder> links;
  TaskGroup tasks;
  Logger log;
};

class Link : public Connection, public std::enable_shared_from_this<Link> {
 public:
  explicit Link(std::shared_ptr<LinkContext> context);
  ~Link() override;

  void send(msg::RawMessage message) override;
  void close() override;
  bool is_open() const override { return !closed_.load(std::memory_order_acquire); }
  void keepalive() override;
  TimePoint last_keepalive_ack() const override { return {Duration(last_ack_.load())}; }
  EntityName peer() const override { return established_.peer; }
  EntityAddr peer_addr() const override { return established_.peer_addr; }
  EntityAddr peer_socket_addr() const override { return remote_; }
  const AuthResult& auth() const override { return established_.auth; }

  /// The link's life, as a task of the context's group.
  Task<void> run_accepted(std::unique_ptr<Stream> stream);
  Task<void> run_connecting(EntityType peer_type, EntityAddr to);

  /// Ends the link, says so in the log and tells the dispatcher; on the executor.
  void fail_with(const Error& error);
  /// Nothing came or went since the last call.
  bool was_idle() { return !std::exchange(active_, false); }

 private:
  struct Outgoing {
    msg::RawMessage message;
    Outgoing* next;
  };
  /// What a queued message costs besides its bytes.
  static constexpr size_t kQueueCharge = 256;

  HandshakeSelf handshake_self();
  Timer handshake_timer();
  /// By the shortest way.
  Task<Result<std::unique_ptr<Stream>>> connect(EntityAddr to);
  /// From the handshake's end to the link's.
  Task<Error> serve(FrameReader& reader, Established established);
  Result<> handle(Frame frame);
  Task<void> write_queued();
  void collect();
  void answer_keepalive(const Bytes& payload);
  void drop_queue();
  void shut();
  std::string describe() const;

  const std::shared_ptr<LinkContext> context_;
  std::unique_ptr<Stream> stream_;
  EntityAddr remote_;
  Established established_;
  bool accepted_ = false;
  bool dispatched_ = false;  ///< the dispatcher knows of it
  bool active_ = true;
  std::atomic<bool> closed_{false};
  std::atomic<int64_t> last_ack_{0};

  std::atomic<Outgoing*> inbox_{nullptr};  ///< newest first
  std::atomic<size_t> queued_bytes_{0};
  std::vector<msg::RawMessage> outgoing_;
  FrameWriter control_;  ///< keepalives and their answers
  uint64_t out_seq_ = 0;
  uint64_t in_seq_ = 0;
  Timer ack_timer_;
  WaitQueue wake_;     ///< the writer: there is something to write
  WaitQueue drained_;  ///< the reader: less is queued
};

}  // namespace plimsoll::messenger
