// SPDX-License-Identifier: LGPL-2.1-or-later
// mkfs: a new monitor's directory: fsid, key-value store with the first monitor map and OSD map.
#pragma once

#include "common/config/config.h"
#include "common/map/mon_map.h"
#include "common/map/osd_map.h"
#include "common/rt/runtime.h"

namespace plimsoll::mon {

/// The caller holds the directory's lock. EEXIST where the directory already holds a monitor;
/// EINVAL where the conf lacks what it needs.
Task<Result<>> mkfs(Runtime& runtime, config::Config& config);
KvOptions store_options(bool create);

/// The monitors that the conf names (mon_host, mon_initial_members, public_addr), this one first
/// where there is no list.
Result<map::MonMap> first_monmap(const config::Config& config, Uuid fsid, Utime now);
map::OSDMap first_osdmap(const config::Config& config, Uuid fsid, Utime now);

}  // namespace plimsoll::mon
