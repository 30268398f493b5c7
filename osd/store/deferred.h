// SPDX-License-Identifier: LGPL-2.1-or-later
// DeferredWrites: small writes, which travel in the transaction's key-value batch and reach the
// block file later, so that a small write costs one sync. One record per transaction, in order;
// until a record is flushed, its blocks are read from here. A record leaves the key-value store
// only after the block file was synced, and whoever frees a block must not reuse it while any()
// names it: replay would write over the new owner's data.
#pragma once

#include <deque>
#include <map>

#include "common/rt/block_file.h"
#include "common/rt/kv.h"
#include "osd/store/allocator.h"

namespace plimsoll::osd {

class DeferredWrites {
 public:
  /// `block` will hold `content` (one block); only the first `used` bytes of it are not zeros. Seen
  /// by find() at once.
  void stage(uint64_t block, Bytes content, size_t used);
  /// Puts what was staged since the last call into `batch`, as one record; its number, or 0.
  uint64_t seal(KvBatch& batch);
  /// All records up to this one are durable in the key-value store.
  void durable(uint64_t sequence);

  /// The newest content of a block; nullptr where the block file has it.
  const Bytes* find(uint64_t block) const;
  bool any(BlockRun run) const;
  uint64_t bytes() const { return bytes_; }
  uint64_t durable_bytes() const { return durable_bytes_; }

  /// Writes and forgets all durable records. One at a time.
  Task<Result<>> flush(BlockFile& file, Kv& kv);
  /// After a crash: writes what flush() had not, and erases it.
  static Task<Result<>> replay(BlockFile& file, Kv& kv);

 private:
  struct Block {
    uint64_t block;
    Bytes content;
    uint32_t used;
  };
  struct Record {
    uint64_t sequence = 0;
    uint64_t bytes = 0;
    std::vector<Block> blocks;
  };
  struct Newest {
    uint64_t sequence;
    Bytes content;
  };
  std::vector<Block> staged_;
  std::deque<Record> records_;
  std::map<uint64_t, Newest> newest_;
  uint64_t next_sequence_ = 1;
  uint64_t durable_ = 0;
  uint64_t bytes_ = 0;
  uint64_t durable_bytes_ = 0;
};

}  // namespace plimsoll::osd
