// SPDX-License-Identifier: LGPL-2.1-or-later
// export_pg: one PG of a store that is not mounted, whole, as a stream (export_stream.h).
// list_export: what such a stream holds, as JSON with the digests of dump.h, so that the two can be
// compared. Both only read.
#pragma once

#include <boost/json/value.hpp>

#include "osd/store/export_stream.h"
#include "osd/store/store_files.h"

namespace plimsoll::osd {

/// What was written. ENOENT where the store has no such PG; EIO names the object that cannot be
/// read.
Task<Result<ExportEnd>> export_pg(Runtime& rt, std::string path, PgId pg, std::string made_by,
                                  ByteSink& sink);

/// EINVAL names the place where the stream is damaged.
Result<boost::json::value> list_export(ByteSource& source);

}  // namespace plimsoll::osd
