// SPDX-License-Identifier: LGPL-2.1-or-later
// The directory of a block store: `block`, the block file; `journal`; `kv/`, the key-value store;
// `ballast`, space for the key-value store on a full host; and a lock. mkfs makes it, open_files
// takes it and checks that the parts belong together, expand makes the block file larger. Tools
// that only look take it with Access::kRead: what replay() then changes stays in memory
// (overlay.h), so that they need no space on the host and leave all as it is. With Access::kJournal
// the journal alone can be written, whose space is reserved.
#pragma once

#include "common/rt/runtime.h"
#include "osd/store/journal.h"

namespace plimsoll::osd {

struct StoreFiles {
  std::unique_ptr<DirLock> lock;
  std::unique_ptr<Ballast> ballast;
  std::unique_ptr<BlockFile> block;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Kv> kv;
  Superblock superblock;
  bool overlaid = false;  ///< block and kv take changes, and forget them
};

enum class Access { kRead, kJournal, kWrite };

struct MkfsOptions {
  std::string path;
  Uuid fsid;
  OsdId osd = kNoOsd;
  uint64_t size = 0;        ///< of the block file; rounded down to blocks
  bool preallocate = true;  ///< reserve the host's space now; ENOSPC where it is not there
  uint64_t journal_size = 64_MiB;  ///< of its file
  uint64_t ballast = 0;
};
/// Makes no ballast where the file system cannot set space aside: that costs nothing until the host
/// is full. EEXIST where the directory holds a store already, EINVAL for a size that is too small.
Task<Result<>> mkfs(Runtime& rt, MkfsOptions options);

/// Whom the store should belong to; nullopt does not ask (tools).
struct StoreOwner {
  std::optional<Uuid> fsid;
  std::optional<OsdId> osd;
};
/// Errors name the file: ENOENT for what is missing, EBUSY for a directory in use, EINVAL for a
/// damaged superblock, another owner, or parts of different stores. Kept open for writing it needs
/// room on the host only where the ballast has none, then ENOSPC. `ballast` is what it should be;
/// nullopt: what it is.
Task<Result<StoreFiles>> open_files(Runtime& rt, std::string path, StoreOwner owner, KvOptions kv,
                                    Access access, std::optional<uint64_t> ballast = {});

/// Makes the block file `size` bytes large, rounded down to blocks, and returns what it was. EINVAL
/// where that is less than it is. A crash in the middle leaves the store as large as it was or as
/// it shall be; the new blocks are free in either case.
Task<Result<uint64_t>> expand(Runtime& rt, std::string path, StoreOwner owner, uint64_t size,
                              bool preallocate);

}  // namespace plimsoll::osd
