// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-mon: the monitor daemon.
#include "common/daemon/daemon.h"
#include "mon/monitor.h"

int main(int argc, char** argv) {
  using plimsoll::mon::Monitor;
  plimsoll::daemon::Program program{"mon", "plimsoll-mon", Monitor::flags()};
  program.data_dir = [](const plimsoll::config::Config& config) { return config.mon_data(); };
  return plimsoll::daemon::run<Monitor>(argc, argv, program);
}
