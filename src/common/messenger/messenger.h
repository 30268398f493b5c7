// SPDX-License-Identifier: LGPL-2.1-or-later
// Messenger: msgr2.1 connections over byte streams. All connections are lossy: when the stream
// breaks, both ends forget the connection, the dispatcher hears of it once (on_reset), and whoever
// has unfinished business connects again and repeats it. Order within a connection is kept.
//
// Lives on Runtime::executor(); Connection's functions may be called from any executor.
//
// Bounds: clients' messages not yet processed (ms_dispatch_throttle_bytes, number), connections
// (ms_max_accept), time of a handshake, idle time, and bytes queued for a peer: above
// MessengerOptions::send_pause_bytes nothing more is read from one that we accepted, above
// send_limit_bytes it is disconnected.
#pragma once

#include <memory>
#include <string>

#include "common/config/config.h"
#include "common/messenger/auth.h"
#include "common/msg/message.h"
#include "common/rt/runtime.h"

namespace plimsoll::messenger {

class Connection {
 public:
  virtual ~Connection() = default;
  /// Queues the message; it is lost if the connection breaks first. After close() a no-op.
  virtual void send(msg::RawMessage message) = 0;
  /// Ends the connection; on_reset is not called for one's own close.
  virtual void close() = 0;
  /// False once closed or broken; true while it is still being made.
  virtual bool is_open() const = 0;
  /// Sends a keepalive; the peer's answer moves last_keepalive_ack().
  virtual void keepalive() = 0;
  /// When the peer last answered one; the time of opening before that.
  virtual TimePoint last_keepalive_ack() const = 0;
  /// Known once the handshake is done; for a client the number is its global id.
  virtual EntityName peer() const = 0;
  /// Where the peer listens, or the address (with nonce) it gave itself.
  virtual EntityAddr peer_addr() const = 0;
  /// The stream's other end as seen here.
  virtual EntityAddr peer_socket_addr() const = 0;
  /// What the peer was authenticated as.
  virtual const AuthResult& auth() const = 0;

  /// The dispatcher's own, for as long as the connection lives; a session that holds the connection
  /// must let go of it in on_reset. Set and read on the messenger's executor.
  std::shared_ptr<void> session;
  /// Counts up within a messenger.
  uint64_t number = 0;
};
using ConnectionRef = std::shared_ptr<Connection>;

/// For ordered containers: by creation, since the order of addresses differs from run to run.
struct ConnectionOrder {
  bool operator()(const ConnectionRef& a, const ConnectionRef& b) const {
    return a->number < b->number;
  }
};

/// All called on the messenger's executor; none may block. A message whose processing takes long
/// holds on to RawMessage::throttle, which stops reading from peers once the configured bytes are
/// reached.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  virtual void on_message(const ConnectionRef& connection, msg::RawMessage message) = 0;
  /// The handshake is done, on either side.
  virtual void on_open(const ConnectionRef&) {}
  /// The connection broke or could not be made; the last call for it.
  virtual void on_reset(const ConnectionRef&) {}
};

struct MessengerOptions {
  /// A monitor waits this long before it answers a keepalive: stock clients misread an answer that
  /// arrives while they still note when they asked.
  Duration keepalive_ack_delay{0};
  /// Instead of ms_dispatch_throttle_bytes, where not 0.
  uint64_t dispatch_throttle_bytes = 0;
  /// The same for the number of messages; 0 is no bound.
  uint64_t dispatch_throttle_messages = 0;
  size_t send_pause_bytes = 16 << 20;
  size_t send_limit_bytes = 256 << 20;
};

class Messenger {
 public:
  /// `self` and its global id (a daemon's number) go into handshakes.
  Messenger(Runtime& runtime, const config::Config& config, EntityName self, Auth& auth,
            MessengerOptions options = {});
  ~Messenger();

  /// Must be set before bind() or connect().
  void set_dispatcher(Dispatcher* dispatcher);

  /// Listens, for peers on this host on a Unix socket as well (ms_local_sockets); port 0 lets the
  /// kernel choose. The nonce is this incarnation's, except that a monitor, whose address stands in
  /// files, has none. EADDRINUSE names the address.
  Result<EntityAddr> bind(EntityAddr at);
  /// The address that bind() settled on; what maps must advertise.
  EntityAddr addr() const;
  /// A client's: set when its global id becomes known.
  void set_self(EntityName self);
  EntityName self() const;

  /// Starts connecting and returns at once; messages sent meanwhile are queued. A failure is a
  /// reset.
  ConnectionRef connect(EntityType peer_type, EntityAddr to);

  /// Clients' messages that are not processed yet.
  uint64_t throttled_bytes() const;
  uint64_t throttled_messages() const;
  /// As the options say at the start; 0 is no bound.
  void set_throttle(uint64_t bytes, uint64_t messages);
  size_t connections() const;

  /// Closes everything and waits; no callback after it.
  Task<void> stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace plimsoll::messenger
