// SPDX-License-Identifier: LGPL-2.1-or-later
// FileBlock: a BlockFile in a file of the host. Small reads that the page cache holds are served on
// the spot; everything else runs on the pool. Large aligned transfers go past the page cache, whose
// copies cost more than the disk does; the kernel keeps both ways coherent. Syncs that queue up
// while one runs share the next. A failed sync is final: the kernel forgets which pages it lost.
#pragma once

#include <sys/uio.h>

#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/rt/block_file.h"
#include "common/rt/real/files.h"
#include "common/rt/real/thread_pool.h"

namespace plimsoll::real {

class FileBlock : public BlockFile {
 public:
  /// Blocks. EBUSY where another process has the file open as a BlockFile.
  static Result<std::unique_ptr<BlockFile>> open(ThreadPool& pool, const std::string& path,
                                                 BlockFileOptions options);
  /// `direct` may be invalid: then all goes through the page cache.
  FileBlock(ThreadPool& pool, std::string path, Fd fd, Fd direct, uint64_t size)
      : pool_(pool),
        path_(std::move(path)),
        fd_(std::move(fd)),
        direct_(std::move(direct)),
        size_(size) {}

  uint64_t size() const override { return size_; }
  Task<Result<Bytes>> read(uint64_t offset, size_t length) override;
  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override;
  Task<Result<>> write_durable(uint64_t offset, Bytes data) override;
  Task<Result<>> sync() override;

 private:
  using SyncWaiter = std::unique_ptr<Waiter<Result<>>>;
  struct SyncJob;

  bool in_range(uint64_t offset, uint64_t length) const {
    return length <= size_ && offset <= size_ - length;
  }
  /// The descriptor for a transfer of these pieces.
  int way(uint64_t offset, std::span<const iovec> iov) const;
  Result<> read_rest(uint64_t offset, std::span<uint8_t> into);
  Result<> write_all(uint64_t offset, const std::vector<Bytes>& pieces);
  Result<> write_through(uint64_t offset, const Bytes& data);
  void request_sync(SyncWaiter waiter);
  /// One fdatasync for all who wait; on the pool. True where more arrived meanwhile.
  bool sync_once();

  ThreadPool& pool_;
  const std::string path_;
  const Fd fd_;
  const Fd direct_;
  const uint64_t size_;

  std::mutex sync_mutex_;
  std::vector<SyncWaiter> sync_waiting_;
  bool sync_running_ = false;
  std::optional<Error> sync_failed_;
};

}  // namespace plimsoll::real
