// SPDX-License-Identifier: LGPL-2.1-or-later
// The cluster's map as it is once all entries of a plan are in it.
#pragma once

#include "common/base/bytes.h"
#include "common/map/osd_map.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

map::OSDMap map_with_plan(map::OSDMap map, const Plan& plan);
/// The same as a file for `osdmaptool`, which can judge it: `--upmap-cleanup` finds nothing to
/// clean in a good one, `--test-map-pgs-dump-all` prints where every PG will be.
Bytes encoded_map_with_plan(const map::OSDMap& map, const Plan& plan);

}  // namespace plimsoll::mover
