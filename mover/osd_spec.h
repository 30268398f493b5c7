// SPDX-License-Identifier: LGPL-2.1-or-later
// How people name OSDs: osd.3, 3, host:h1 (any bucket type), class:ssd, or a bucket's name alone.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::mover {

/// Those that exist, of all specs together. ENOENT names the spec of which nothing exists.
Result<std::set<OsdId>> osds_of(const std::vector<std::string>& specs, const map::OSDMap& map);

/// One OSD: "osd.3" or "3".
Result<OsdId> osd_of(const std::string& spec, const map::OSDMap& map);

}  // namespace plimsoll::mover
