// SPDX-License-Identifier: LGPL-2.1-or-later
// Reports for a map, and the trouble that clusters are in when people call for the mover.
#pragma once

#include "common/base/rng.h"
#include "mover/model/dump.h"

namespace plimsoll::mover {

/// All PGs active+clean with sizes that differ, devices between half and nearly full.
Dump random_dump(map::OSDMap map, Rng& rng);

/// OSDs that are down, out, cordoned or silent; PGs that are degraded, on their way, unreported or
/// pinned; entries, dead ones too; a pool that is splitting; growth.
void bring_trouble(Dump& dump, Rng& rng);

}  // namespace plimsoll::mover
