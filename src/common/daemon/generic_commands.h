// SPDX-License-Identifier: LGPL-2.1-or-later
// The admin socket commands that every daemon has: config show|get|set|unset|diff|help, perf dump|
// schema|reset, heap stats|release, log flush, injectargs.
#pragma once

#include "common/command/admin_socket.h"
#include "common/config/config.h"
#include "common/metrics/counters.h"

namespace plimsoll::daemon {

/// Config and counters must outlive the table.
void add_generic_commands(command::DaemonTable& table, config::Config& config,
                          metrics::Counters& counters);

}  // namespace plimsoll::daemon
