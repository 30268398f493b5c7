// SPDX-License-Identifier: LGPL-2.1-or-later
// DeferredWrites: small writes on their way to the block file. They become durable in the journal,
// with the rest of their transaction, so that a small write costs no write of its own; from here
// they are read until flush() has put them in place. Whoever frees a block must not reuse it while
// any() names it: the flush, or replay, would write over the new owner's data.
#pragma once

#include <deque>
#include <map>

#include "osd/store/allocator.h"
#include "osd/store/commit_record.h"

namespace plimsoll::osd {

class DeferredWrites {
 public:
  /// `block` will hold `content` (one block); only the first `used` bytes of it are not zeros. Seen
  /// by find() at once.
  void stage(uint64_t block, Bytes content, size_t used);
  /// Ends a transaction: what was staged since the last call.
  std::vector<DeferredBlock> seal();
  /// The next `transactions` that sealed anything are durable, and so is record `journal`.
  void durable(size_t transactions, uint64_t journal);

  /// The newest content of a block; nullptr where the block file has it.
  const Bytes* find(uint64_t block) const;
  bool any(BlockRun run) const;
  uint64_t bytes() const { return bytes_; }
  uint64_t durable_bytes() const { return durable_bytes_; }
  /// Up to this record of the journal, all contents are in the block file for good.
  uint64_t in_place() const { return in_place_; }

  /// Writes and forgets all durable ones. One at a time.
  Task<Result<>> flush(BlockFile& file);

 private:
  struct Newest {
    uint64_t sequence;
    Bytes content;
  };
  /// Of one transaction.
  struct Sealed {
    uint64_t sequence = 0;
    std::vector<DeferredBlock> blocks;
    uint64_t bytes() const { return blocks.size() * BlockFile::kBlock; }
  };
  std::vector<DeferredBlock> staged_;
  std::deque<Sealed> sealed_;
  size_t durable_count_ = 0;  ///< at the front of sealed_
  std::map<uint64_t, Newest> newest_;
  uint64_t next_sequence_ = 1;
  uint64_t journal_ = 0;
  uint64_t in_place_ = 0;
  uint64_t bytes_ = 0;
  uint64_t durable_bytes_ = 0;
};

}  // namespace plimsoll::osd
