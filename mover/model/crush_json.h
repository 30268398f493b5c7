// SPDX-License-Identifier: LGPL-2.1-or-later
// `ceph osd crush dump -f json` to our CRUSH map. The dump has no class ids (they are dealt out
// anew) and none of what list and tree buckets derive from their weights (made anew); straw
// buckets cannot be made anew and are refused by name. Rules of releases without "ruleset" have
// their id for it.
#pragma once

#include "common/map/osd_map.h"
#include "mover/model/json_reader.h"

namespace plimsoll::mover {

/// A map that the mapper can walk: what the decoder of encoded maps checks holds, too.
void read_crush(JsonReader& in, map::SharedCrush& out);

}  // namespace plimsoll::mover
