// SPDX-License-Identifier: LGPL-2.1-or-later
// FileBlock: a BlockFile in a file of the host. Small reads that the page cache holds are served on
// the spot, and small durable writes while the disk is quick (doc/decisions/018-quick-disks.md);
// everything else runs on the pool. Large aligned transfers go past the page cache, whose copies
// cost more than the disk does; blocks of small objects stay in it, however many go at a time
// (doc/decisions/023-small-in-memory.md). The kernel keeps both ways coherent. Syncs that queue up
// while one runs share the next. A failed sync is final: the kernel forgets which pages it lost.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/rt/block_file.h"
#include "common/rt/real/files.h"
#include "common/rt/real/thread_pool.h"

namespace plimsoll::real {

/// What durable writes took of late. From any thread; a lost update does no harm.
class Pace {
 public:
  /// Below it a write costs hardly more than its way to a thread and back.
  static constexpr Duration kQuick = 400us;

  void took(Duration d) {
    const int64_t mean = mean_.load(std::memory_order_relaxed);
    mean_.store(mean + (d.count() - mean) / kWrites, std::memory_order_relaxed);
  }
  bool is_quick() const { return mean_.load(std::memory_order_relaxed) < kQuick.count(); }

 private:
  static constexpr int64_t kWrites = 8;  ///< that the mean follows
  std::atomic<int64_t> mean_{Duration(1s).count()};  // until the disk has shown otherwise
};

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
  Pace& pace() { return pace_; }

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
  Pace pace_;

  std::mutex sync_mutex_;
  std::vector<SyncWaiter> sync_waiting_;
  bool sync_running_ = false;
  std::optional<Error> sync_failed_;
};

}  // namespace plimsoll::real
