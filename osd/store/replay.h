// SPDX-License-Identifier: LGPL-2.1-or-later
// Replay: brings the block file and the key-value store to where the journal says they are. For
// every reader of a store that was just opened, before it reads. Needs no free blocks; a crash in
// the middle of it costs nothing but doing it again. On overlaid files it changes what is seen of
// them, and the journal keeps its records.
#pragma once

#include "osd/store/store_files.h"

namespace plimsoll::osd {

/// The number of records that it found.
Task<Result<uint64_t>> replay(StoreFiles& files);

}  // namespace plimsoll::osd
