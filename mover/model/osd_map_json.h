// SPDX-License-Identifier: LGPL-2.1-or-later
// `ceph osd dump -f json` to our OSDMap and back: what placement and fullness rest on. Addresses,
// snapshots and the like are not kept. Reading checks each value where it stands; what needs the
// whole map (an OSD beyond max_osd) is checked at its end.
#pragma once

#include <boost/json/object.hpp>

#include "common/map/osd_map.h"
#include "mover/model/json_reader.h"

namespace plimsoll::mover {

/// Everything but the CRUSH map, which stays as it is in `map`.
void read_osd_map(JsonReader& in, map::OSDMap& map);

/// `osd dump` with only the keys that read_osd_map() reads.
boost::json::object slim_osd_dump(const map::OSDMap& map);

}  // namespace plimsoll::mover
