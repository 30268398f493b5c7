// SPDX-License-Identifier: LGPL-2.1-or-later
// pg_upmap_items: pairs (from, to) that clients and daemons apply to CRUSH's answer one after the
// other. A pair does nothing where its target is in the PG at that moment or its source is not, and
// monitors drop pairs whose source is not in CRUSH's own answer. So an entry is always made from
// CRUSH's answer, never by adding to the entry that is there.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::mover {

/// What an entry makes of CRUSH's answer, where none of its targets is out.
std::vector<OsdId> apply_upmap_items(std::span<const OsdId> raw, const map::UpmapItems& items);

/// The shortest entry that makes `up` of `raw`, in an order that takes effect; empty where they are
/// the same; nullopt where pairs cannot say it: shards of an erasure-coded PG that change places,
/// or holes to fill. In replicated pools the order of members is free.
std::optional<map::UpmapItems> upmap_items(std::span<const OsdId> raw, std::span<const OsdId> up,
                                           bool erasure);

}  // namespace plimsoll::mover
