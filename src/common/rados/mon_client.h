// SPDX-License-Identifier: LGPL-2.1-or-later
// MonClient: one session with one monitor of many, for clients and daemons alike. It hunts through
// the monitors until one answers, renews subscriptions on every new session, repeats commands that
// had no answer, and hands maps to its owner. On Runtime::executor().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config/config.h"
#include "common/log/log.h"
#include "common/map/mon_map.h"
#include "common/messenger/messenger.h"
#include "common/msg/mon_messages.h"
#include "common/rt/task_group.h"

namespace plimsoll::rados {

/// "v2:127.0.0.1:3300", "[v2:10.0.0.1:3300/0,v1:10.0.0.1:6789/0] 10.0.0.2:3300", ...: the msgr2
/// addresses in it. EINVAL names what cannot be read.
Result<std::vector<EntityAddr>> parse_mon_host(std::string_view text);

/// What a monitor answers a command.
struct CommandReply {
  int32_t retval = 0;
  std::string outs;
  Bytes outdata;
};

class MonClient {
 public:
  struct Hooks {
    std::function<void(msg::MOSDMap)> on_osdmap;
    std::function<void(std::map<std::string, std::string>)> on_config;
    /// A session is ready, the first or a later one: daemons repeat here what must reach the
    /// monitor.
    std::function<void()> on_session;
    /// Any other message from the monitor; false where it is unknown.
    std::function<bool(const msg::RawMessage&)> on_other;
  };

  MonClient(Runtime& runtime, const config::Config& config, messenger::Messenger& messenger,
            Hooks hooks);

  /// Returns once a session is ready; ETIMEDOUT after `timeout`, EINVAL for an unusable mon_host.
  Task<Result<>> start(Duration timeout);
  Task<void> stop();

  /// The owner's dispatcher passes everything here first; true where it was this client's.
  bool on_message(const messenger::ConnectionRef& connection, const msg::RawMessage& message);
  bool on_reset(const messenger::ConnectionRef& connection);
  void on_open(const messenger::ConnectionRef& connection);

  /// Asks for maps from epoch `start` on, once or for good. A later call for the same `what`
  /// replaces the earlier one.
  void subscribe(const std::string& what, uint64_t start, bool once = false);
  /// `what` is held up to `epoch`; renewals ask from the next on, a one-time subscription is done.
  void got(const std::string& what, uint64_t epoch);

  /// Sends if there is a session; otherwise drops it (see Hooks::on_session).
  void send(msg::RawMessage message);
  bool has_session() const { return ready_; }

  Task<Result<CommandReply>> command(std::string json, Bytes input, Duration timeout);
  /// Newest epoch of a map ("osdmap") that the monitors have.
  Task<Result<Epoch>> newest_version(std::string what, Duration timeout);

  const map::MonMap& monmap() const { return monmap_; }
  uint64_t global_id() const { return global_id_; }

 private:
  struct Subscription {
    uint64_t start = 0;
    bool once = false;
  };
  struct PendingCommand {
    msg::RawMessage request;
    std::shared_ptr<OneShot<Result<CommandReply>>> reply;
  };
  using VersionReply = std::shared_ptr<OneShot<Result<Epoch>>>;

  Task<void> hunt();
  Task<void> keepalive();
  void connect_next();
  void session_ready();
  void send_subscriptions();
  void handle_command_ack(const msg::RawMessage& message);

  Runtime& runtime_;
  const config::Config& config_;
  messenger::Messenger& messenger_;
  Hooks hooks_;
  Logger log_;
  TaskGroup tasks_;
  std::vector<EntityAddr> mons_;
  size_t next_mon_ = 0;
  messenger::ConnectionRef connection_;
  bool ready_ = false;
  Event session_;
  Event lost_;
  map::MonMap monmap_;
  uint64_t global_id_ = 0;
  std::map<std::string, Subscription> subscriptions_;
  uint64_t next_tid_ = 1;
  std::map<uint64_t, PendingCommand> commands_;
  std::map<uint64_t, std::pair<std::string, VersionReply>> versions_;
};

}  // namespace plimsoll::rados
