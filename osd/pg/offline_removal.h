// SPDX-License-Identifier: LGPL-2.1-or-later
// Removing an object from the store of a stopped OSD, to get space back where the cluster cannot.
// It is entered in the PG's log as a write that only this copy has seen. So peering treats it as
// any such write: where the PG did not go on without this OSD it holds for all copies, and else it
// is undone, and the object comes back from the others. Copies never differ for good.
//
// Its version must be nobody else's: far beyond what a primary may have under way in the epoch, and
// with the OSD's id in it.
#pragma once

#include "osd/pg/pg_log.h"
#include "osd/store/object_store.h"

namespace plimsoll::osd {

struct OfflineRemoval {
  PgId pg;
  std::string name;
  std::string nspace;
  std::string locator;  ///< key; empty: the name
  // Of the OSD:
  OsdId osd = kNoOsd;
  Epoch newest_map = 0;
  Utime now;
};

/// The entry that was logged. ENOENT says what is not there: the PG, or the object.
Task<Result<LogEntry>> remove_offline(ObjectStore& store, OfflineRemoval what);

/// Of an entry behind `head`.
Eversion offline_version(Eversion head, Epoch newest_map, OsdId osd);

}  // namespace plimsoll::osd
