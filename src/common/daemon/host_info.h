// SPDX-License-Identifier: LGPL-2.1-or-later
// What a daemon says of the host it runs on, with Ceph's keys: "hostname", "arch", "distro", "cpu",
// "mem_total_kb", ..., and the version it runs; of the disk under a directory, and of the interface
// that carries an address. What the host does not tell is left out.
#pragma once

#include <map>
#include <string>

#include "common/rt/runtime.h"
#include "common/wire/types.h"

namespace plimsoll::daemon {

std::map<std::string, std::string> host_info(Runtime& runtime);

/// "devices": the disk that the absolute path is on, as the kernel calls it; "rotational": "0" or
/// "1". Empty for what is no disk (tmpfs, network).
std::map<std::string, std::string> disk_info(Runtime& runtime, const std::string& path);
/// The device number ("254:0") of the file system that holds `path`, from /proc/self/mountinfo.
std::string device_of(const std::string& mountinfo, const std::string& path);

/// The interface whose network holds an IPv4 address, from /proc/net/route; "" for none, as for
/// loopback.
std::string interface_of(const std::string& routes, const EntityAddr& addr);

}  // namespace plimsoll::daemon
