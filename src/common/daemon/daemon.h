// SPDX-License-Identifier: LGPL-2.1-or-later
// The frame of every daemon: command line and conf, log, run directory, pid file, admin socket,
// signals, start and stop in order, background. A daemon is a class over an Env; its main.cc says
//
//   int main(int argc, char** argv) {
//     return daemon::run<Monitor>(argc, argv, {.type = "mon", .name = "plimsoll-mon"});
//   }
//
// The process that the operator starts waits until the daemon is up and exits 0, or prints the
// daemon's error and exits 1. SIGTERM and SIGINT stop cleanly; a second one exits at once.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/command/admin_socket.h"
#include "common/config/arguments.h"
#include "common/config/config.h"
#include "common/log/log.h"
#include "common/metrics/counters.h"
#include "common/rt/runtime.h"

namespace plimsoll::daemon {

/// What a daemon is given; all of it outlives the daemon. The simulator makes its own.
struct Env {
  Runtime& runtime;
  config::Config& config;
  metrics::Counters& counters;
  command::AdminSocket& admin;
  const config::Arguments& arguments;  ///< for the program's own flags
  /// Asks the frame to stop the daemon and exit with `code`; an error text explains a code != 0.
  std::function<void(int code, std::string why)> exit;
};

class Daemon {
 public:
  virtual ~Daemon() = default;
  /// A flag such as --mkfs makes the program do one thing and end: true says that it is done.
  virtual Task<Result<bool>> run_once() { co_return false; }
  /// Up when it returns. After an error stop() is still called. The admin socket answers already:
  /// commands that need a started daemon are added to its table when they can be served.
  virtual Task<Result<>> start() = 0;
  /// Ends everything; at most kStopTimeout.
  virtual Task<void> stop() = 0;
};
inline constexpr Duration kStopTimeout = 30s;

struct Program {
  std::string type;  ///< "mon": conf section and names
  std::string name;  ///< "plimsoll-mon"
  std::vector<config::ProgramFlag> flags = {};
  std::string default_id = "";  ///< where -i may be left out
  /// The data directory, locked for the daemon's life; with the flag --mkfs it is made. Null: none.
  std::string (*data_dir)(const config::Config&) = nullptr;
  size_t (*shards)(const config::Config&) = nullptr;  ///< null: one
};

using Factory = std::function<std::unique_ptr<Daemon>(Env&)>;

/// The whole life of a daemon process; returns its exit code.
int run(int argc, char** argv, const Program& program, const Factory& make);

template <class D>
int run(int argc, char** argv, const Program& program) {
  return run(argc, argv, program,
             [](Env& env) -> std::unique_ptr<Daemon> { return std::make_unique<D>(env); });
}

}  // namespace plimsoll::daemon
