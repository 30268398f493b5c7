// SPDX-License-Identifier: LGPL-2.1-or-later
// A file of blocks, read and written at offsets. Writes become durable by sync() and not before: an
// unsynced write may be kept, lost or torn at 4 KiB boundaries by a crash, in any order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/rt/task.h"

namespace plimsoll {

class BlockFile {
 public:
  static constexpr uint64_t kBlock = 4096;

  virtual ~BlockFile() = default;
  virtual uint64_t size() const = 0;
  /// Exactly `length` bytes; EIO where the range is not all there. Any alignment.
  virtual Task<Result<Bytes>> read(uint64_t offset, size_t length) = 0;
  /// Pieces are written one after the other from `offset`. ENOSPC where a sparse file's host is
  /// full.
  virtual Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) = 0;
  /// Durable when it returns, alone: it syncs nothing else, and no write to the same range may be
  /// unsynced. Fastest for one piece that is whole blocks in file and memory, where the file was
  /// written before. A crash before the return leaves any of its blocks, or sectors of them.
  virtual Task<Result<>> write_durable(uint64_t offset, Bytes data) = 0;
  /// All writes that returned before this call are durable when it returns.
  virtual Task<Result<>> sync() = 0;
};

}  // namespace plimsoll
