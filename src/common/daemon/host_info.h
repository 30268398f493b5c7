// SPDX-License-Identifier: LGPL-2.1-or-later
// What a daemon says of the host it runs on, with Ceph's keys: "hostname", "arch", "distro", "cpu",
// "mem_total_kb", ..., and the version it runs. What the host does not tell is left out.
#pragma once

#include <map>
#include <string>

#include "common/rt/runtime.h"

namespace plimsoll::daemon {

std::map<std::string, std::string> host_info(Runtime& runtime);

}  // namespace plimsoll::daemon
