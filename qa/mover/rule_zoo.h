// SPDX-License-Identifier: LGPL-2.1-or-later
// One cluster with a pool for every kind of CRUSH rule, and with devices that are out, weightless
// or gone: where monitors and planners have to agree on what is valid.
#pragma once

#include "common/map/osd_map.h"

namespace plimsoll::mover {

map::OSDMap make_rule_zoo();

}  // namespace plimsoll::mover
