// SPDX-License-Identifier: LGPL-2.1-or-later
// Messenger: msgr2.1 connections over byte streams. All connections are lossy: when the stream breaks,
// both ends forget the connection, the dispatcher hears of it once (on_reset), and whoever has
// unfinished business connects again and repeats it. Order within a connection is kept.
//
// Lives on Runtime::executor(); Connection::send() and close() may be called from any executor.
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
  virtual bool is_open() const = 0;
  /// Known once the handshake is done; for a client the number is its global id.
  virtual EntityName peer() const = 0;
  /// Where the peer listens, or the address (with nonce) it gave itself.
  virtual EntityAddr peer_addr() const = 0;
  /// The stream's other end as seen here.
  virtual EntityAddr peer_socket_addr() const = 0;
  /// What the peer was authenticated as.
  virtual const AuthResult& auth() const = 0;

  /// The dispatcher's own, for as long as the connection lives. Set and read on the messenger's executor.
  std::shared_ptr<void> session;
};
using ConnectionRef = std::shared_ptr<Connection>;

/// All called on the messenger's executor; none may block. A message whose processing takes long holds
/// on to RawMessage::throttle, which stops reading from peers once the configured bytes are reached.
class Dispatcher {
 public:
  virtual ~Dispatcher() = default;
  virtual void on_message(const ConnectionRef& connection, msg::RawMessage message) = 0;
  /// The handshake is done, on either side.
  virtual void on_open(const ConnectionRef&) {}
  /// The connection broke or could not be made; the last call for it.
  virtual void on_reset(const ConnectionRef&) {}
};

class Messenger {
 public:
  /// `self` and its global id (a daemon's number) go into handshakes.
  Messenger(Runtime& runtime, const config::Config& config, EntityName self, Auth& auth);
  ~Messenger();

  /// Must be set before bind() or connect().
  void set_dispatcher(Dispatcher* dispatcher);

  /// Listens; port 0 lets the kernel choose. The nonce is this process incarnation's. EADDRINUSE names
  /// the address.
  Result<EntityAddr> bind(EntityAddr at);
  /// The address that bind() settled on; what maps must advertise.
  EntityAddr addr() const;
  /// A client's: set when its global id becomes known.
  void set_self(EntityName self);
  EntityName self() const;

  /// Starts connecting and returns at once; messages sent meanwhile are queued. A failure is a reset.
  ConnectionRef connect(EntityType peer_type, EntityAddr to);

  /// Closes everything and waits; no callback after it.
  Task<void> stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace plimsoll::messenger
