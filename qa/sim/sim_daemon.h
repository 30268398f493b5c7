// SPDX-License-Identifier: LGPL-2.1-or-later
// SimDaemon: a daemon of the product on a simulated host, with the frame that daemon.h gives it in
// a process: conf, counters, admin table, exit. One object per incarnation.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/daemon/daemon.h"
#include "qa/sim/world.h"

namespace plimsoll::sim {

class SimDaemon {
 public:
  /// `flags`: the program's own ("mkfs"). The conf must be valid.
  SimDaemon(Runtime& runtime, config::Identity who, const std::string& conf,
            const daemon::Factory& make, std::vector<std::string> flags = {});

  /// Runs the daemon's start(); up() or failure() tells how it ended.
  Task<void> start();
  Task<void> stop();
  /// For flags: the one thing that the program does.
  Task<Result<bool>> run_once() { return daemon_->run_once(); }

  bool up() const { return up_; }
  /// Why it would have exited by itself.
  const std::optional<std::string>& failure() const { return failure_; }
  command::DaemonTable& admin() { return admin_.table(); }
  const config::Config& config() const { return config_; }

 private:
  config::Config config_;
  config::Arguments arguments_;
  metrics::Counters counters_;
  command::AdminSocket admin_;
  daemon::Env env_;
  bool up_ = false;
  std::optional<std::string> failure_;
  std::unique_ptr<daemon::Daemon> daemon_;
};

}  // namespace plimsoll::sim
