// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rados/rados_client.h"

namespace plimsoll::rados {

RadosClient::RadosClient(Runtime& runtime, const config::Config& config, messenger::Auth& auth,
                         EntityName self)
    : messenger_(runtime, config, self, auth),
      monitors_(runtime, config, messenger_, hooks()),
      objecter_(runtime, config, messenger_, monitors_) {
  messenger_.set_dispatcher(this);
}

MonClient::Hooks RadosClient::hooks() {
  MonClient::Hooks h;
  h.on_osdmap = [this](msg::MOSDMap m) { objecter_.handle_osdmap(m); };
  return h;
}

Task<Result<>> RadosClient::start(Duration timeout) {
  CO_TRY_VOID(co_await monitors_.start(timeout));
  objecter_.start();
  co_return co_await objecter_.wait_for_epoch(1, timeout);
}

Task<void> RadosClient::stop() {
  co_await objecter_.stop();
  co_await monitors_.stop();
  co_await messenger_.stop();
}

void RadosClient::on_message(const messenger::ConnectionRef& connection, msg::RawMessage message) {
  if (!monitors_.on_message(connection, message)) objecter_.on_message(connection, message);
}

void RadosClient::on_open(const messenger::ConnectionRef& connection) {
  monitors_.on_open(connection);
}

void RadosClient::on_reset(const messenger::ConnectionRef& connection) {
  if (!monitors_.on_reset(connection)) objecter_.on_reset(connection);
}

}  // namespace plimsoll::rados
