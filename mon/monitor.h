// SPDX-License-Identifier: LGPL-2.1-or-later
// Monitor: the daemon. It owns the store, the consensus and the services on it, answers messages on
// its messenger, and ticks. Everything runs on Runtime::executor(); a message that needs the log is
// answered by a task of its own.
#pragma once

#include <memory>

#include "common/daemon/daemon.h"
#include "common/messenger/auth_none.h"
#include "common/messenger/messenger.h"
#include "common/msg/mon_peer_messages.h"
#include "mon/commands/commands.h"
#include "mon/consensus/single_log.h"
#include "mon/manager.h"
#include "mon/op_tracker.h"
#include "mon/services.h"
#include "mon/sessions.h"

namespace plimsoll::mon {

class Monitor : public daemon::Daemon, private messenger::Dispatcher {
 public:
  explicit Monitor(daemon::Env& env);
  ~Monitor() override;
  /// --mkfs.
  static std::vector<config::ProgramFlag> flags();

  Task<Result<bool>> run_once() override;
  Task<Result<>> start() override;
  Task<void> stop() override;

 private:
  Task<Result<>> open_store();
  Result<> bind();
  Result<> start_manager(const EntityAddr& addr);
  Task<void> tick_loop();
  void add_admin_commands();
  void apply_own_config();
  void update_counters();

  void on_message(const messenger::ConnectionRef& connection, msg::RawMessage message) override;
  void on_reset(const messenger::ConnectionRef& connection) override;
  void on_open(const messenger::ConnectionRef& connection) override;

  /// Parses and passes on; a malformed message ends the connection.
  template <class M>
  void handle(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
              void (Monitor::*handler)(const messenger::ConnectionRef&, const msg::RawMessage&, M));
  void get_map(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MMonGetMap m);
  void subscribe(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                 msg::MMonSubscribe m);
  void get_version(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                   msg::MMonGetVersion m);
  void statfs(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MStatfs m);
  void pool_stats(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                  msg::MGetPoolStats m);
  void pool_op(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MPoolOp m);
  void command(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MMonCommand m);
  void tell(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MCommand m);
  void osd_boot(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MOsdBoot m);
  void osd_mark_me_down(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                        msg::MOsdMarkMeDown m);
  void osd_fullness(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                    msg::MOsdFullness m);
  void osd_pg_join(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                   msg::MOsdPgJoin m);
  void osd_unreachable(const messenger::ConnectionRef& c, const msg::RawMessage& raw,
                       msg::MOsdUnreachable m);
  void osd_stats(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MOsdStats m);
  void cluster_log(const messenger::ConnectionRef& c, const msg::RawMessage& raw, msg::MLog m);

  void answer_ping(const messenger::ConnectionRef& c, uint64_t tid);
  Task<command::CommandReply> answer_command(messenger::ConnectionRef c,
                                             std::vector<std::string> cmd, Bytes data);
  Task<void> run_command(messenger::ConnectionRef c, uint64_t tid, msg::MMonCommand m,
                         std::shared_ptr<void> throttle);
  Task<void> run_tell(messenger::ConnectionRef c, uint64_t tid, msg::MCommand m);
  Task<void> run_pool_op(messenger::ConnectionRef c, uint64_t tid, msg::MPoolOp m);
  Task<void> run_boot(messenger::ConnectionRef c, msg::MOsdBoot m);
  Task<void> run_mark_down(messenger::ConnectionRef c, msg::MOsdMarkMeDown m);

  daemon::Env& env_;
  Logger log_;
  std::string data_;
  std::unique_ptr<Kv> kv_;
  std::unique_ptr<SingleLog> consensus_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<messenger::AuthNone> auth_;
  std::unique_ptr<messenger::Messenger> messenger_;
  std::unique_ptr<Manager> manager_;
  CommandTable commands_;
  OpTracker ops_;
  TaskGroup tasks_;
};

}  // namespace plimsoll::mon
