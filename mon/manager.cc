// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/manager.h"

namespace plimsoll::mon {

namespace {

messenger::MessengerOptions bounded(uint64_t most) {
  messenger::MessengerOptions options;
  options.dispatch_throttle_messages = most;
  return options;
}

}  // namespace

Manager::Manager(Runtime& runtime, const config::Config& config, std::string name, uint64_t id,
                 Answer answer)
    : runtime_(runtime),
      name_(std::move(name)),
      id_(id),
      answer_(std::move(answer)),
      auth_(EntityType::kMgr, name_),
      messenger_(runtime, config, EntityName{EntityType::kMgr, static_cast<int64_t>(id)}, auth_,
                 bounded(kMostCommands)),
      tasks_(runtime.executor()) {
  messenger_.set_dispatcher(this);
}

Result<EntityAddr> Manager::bind(EntityAddr monitor) {
  monitor.port = 0;
  return messenger_.bind(monitor);
}

map::MgrMap Manager::map() const {
  map::MgrMap map;
  // Every incarnation has another address, so it must be another epoch: global ids only grow.
  map.epoch = static_cast<Epoch>(id_);
  map.active_gid = id_;
  map.active_name = name_;
  map.active_addrs = EntityAddrVec(messenger_.addr());
  map.active_change = runtime_.clock().wall();
  map.available = true;
  return map;
}

Task<void> Manager::stop() {
  co_await messenger_.stop();
  co_await tasks_.stop();
}

void Manager::on_message(const messenger::ConnectionRef& connection, msg::RawMessage raw) {
  // All else is what daemons tell a manager of themselves; ours tell the monitor.
  if (raw.type != msg::MCommand::kType) return;
  auto m = msg::parse<msg::MCommand>(raw);
  if (!m) return connection->close();
  tasks_.spawn(run(connection, std::move(raw), std::move(*m)));
}

/// The message holds its part of the throttle to the end.
Task<void> Manager::run(messenger::ConnectionRef connection, msg::RawMessage raw, msg::MCommand m) {
  command::CommandReply done = co_await answer_(connection, std::move(m.cmd), std::move(m.data));
  msg::MCommandReply reply;
  reply.retval = done.rc;
  reply.outs = std::move(done.outs);
  reply.data = std::move(done.out);
  connection->send(msg::to_raw(reply, raw.tid));
}

}  // namespace plimsoll::mon
