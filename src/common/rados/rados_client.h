// SPDX-License-Identifier: LGPL-2.1-or-later
// RadosClient: messenger, MonClient and Objecter wired together; what a program needs to use a
// cluster, ours or a real one. The simulator's workloads, the MDS and the file system client sit on
// it.
#pragma once

#include "common/messenger/auth.h"
#include "common/rados/objecter.h"

namespace plimsoll::rados {

class RadosClient : private messenger::Dispatcher {
 public:
  RadosClient(Runtime& runtime, const config::Config& config, messenger::Auth& auth,
              EntityName self);

  /// A session with a monitor and a first osdmap; errors as MonClient::start().
  Task<Result<>> start(Duration timeout);
  Task<void> stop();

  Objecter& objecter() { return objecter_; }
  MonClient& monitors() { return monitors_; }

 private:
  void on_message(const messenger::ConnectionRef& connection, msg::RawMessage message) override;
  void on_open(const messenger::ConnectionRef& connection) override;
  void on_reset(const messenger::ConnectionRef& connection) override;
  MonClient::Hooks hooks();

  messenger::Messenger messenger_;
  MonClient monitors_;
  Objecter objecter_;
};

}  // namespace plimsoll::rados
