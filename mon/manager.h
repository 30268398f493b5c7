// SPDX-License-Identifier: LGPL-2.1-or-later
// Manager: the manager that clients look for. It is the monitor itself under a second address,
// since clients hold a peer to the type that the manager map says; commands to it are the
// monitor's. On Runtime::executor().
#pragma once

#include <functional>

#include "common/command/table.h"
#include "common/messenger/auth_none.h"
#include "common/messenger/messenger.h"
#include "common/msg/mon_messages.h"
#include "common/rt/task_group.h"

namespace plimsoll::mon {

class Manager final : private messenger::Dispatcher {
 public:
  /// Answers a command that came over a connection.
  using Answer = std::function<Task<command::CommandReply>(messenger::ConnectionRef,
                                                           std::vector<std::string>, Bytes)>;

  /// `id` is this incarnation's, a global id.
  Manager(Runtime& runtime, const config::Config& config, std::string name, uint64_t id,
          Answer answer);

  /// Listens at a free port of the monitor's own address.
  Result<EntityAddr> bind(EntityAddr monitor);
  /// What clients must know of it.
  map::MgrMap map() const;
  Task<void> stop();

 private:
  static constexpr uint64_t kMostCommands = 64;

  void on_message(const messenger::ConnectionRef& connection, msg::RawMessage message) override;
  Task<void> run(messenger::ConnectionRef connection, msg::RawMessage raw, msg::MCommand m);

  Runtime& runtime_;
  const std::string name_;
  const uint64_t id_;
  const Answer answer_;
  messenger::AuthNone auth_;
  messenger::Messenger messenger_;
  TaskGroup tasks_;
};

}  // namespace plimsoll::mon
