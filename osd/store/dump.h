// SPDX-License-Identifier: LGPL-2.1-or-later
// dump: a store that is not mounted, as JSON: superblock, counters, collections, and of each object
// the size, where its blocks lie, and digests of its bytes, attributes and omap, so that replicas
// can be compared without moving data. Values up to 64 bytes are shown, in hexadecimal.
#pragma once

#include <boost/json/value.hpp>

#include "osd/store/store_files.h"

namespace plimsoll::osd {

/// `pg` limits it to one collection.
Task<Result<boost::json::value>> dump(Runtime& rt, std::string path, std::optional<PgId> pg);

}  // namespace plimsoll::osd
