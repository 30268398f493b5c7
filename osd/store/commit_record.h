// SPDX-License-Identifier: LGPL-2.1-or-later
// CommitRecord: what one group of transactions changes, as the journal holds it: a batch for the
// key-value store and the contents of blocks for the block file. Applied in order to any state that
// already holds some of them, records lead to the same state. That needs `in_place`: the record up
// to which all contents had reached the block file when this one was written. Blocks may have been
// freed and have a new owner since, so contents that old must not be written again.
#pragma once

#include <map>
#include <vector>

#include "common/base/result.h"
#include "common/rt/block_file.h"
#include "common/rt/kv.h"

namespace plimsoll::osd {

/// What a block of the block file will hold; only the first `used` bytes are not zeros.
struct DeferredBlock {
  uint64_t block = 0;
  Bytes content;
  uint32_t used = 0;
};
using BlockContents = std::map<uint64_t, Bytes>;

struct CommitRecord {
  uint64_t in_place = 0;
  KvBatch batch;
  std::vector<DeferredBlock> blocks;
};

size_t encoded_size(const CommitRecord& record);
/// Exactly encoded_size() bytes to `out`.
void encode(const CommitRecord& record, uint8_t* out);
/// Total; EINVAL for anything that encode() does not write.
Result<CommitRecord> decode_commit_record(Bytes payload);

/// A batch that does what `batches` do in turn, cheaper. Of several changes of a key it has the
/// last: PG infos and counters change with every transaction. Keys ascend where they may, since
/// RocksDB searches the place of a key from that of the one before.
KvBatch merge(std::vector<KvBatch> batches);

/// Writes the contents, neighbours together, and syncs the file.
Task<Result<>> write_in_place(BlockFile& file, BlockContents contents);

}  // namespace plimsoll::osd
