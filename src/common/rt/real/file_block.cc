// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/file_block.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "common/base/units.h"

namespace plimsoll::real {

namespace {

/// Above this a copy out of the page cache would hold up the executor longer than a thread's wake.
constexpr size_t kInlineRead = 128_KiB;
/// Up to this a durable write to a quick disk is done on the spot.
constexpr size_t kInlineWrite = 16_KiB;
/// From here on a transfer past the page cache is cheaper than one through it.
constexpr size_t kDirect = 64_KiB;
/// But not where its pieces are smaller than this on average: those are blocks of small objects,
/// which are read one by one, and a read that finds them in memory costs a fraction.
constexpr size_t kDirectPiece = 32_KiB;

/// Space that is only reserved has yet to be marked as written, in the host's own journal, with the
/// first sync after a write.
Result<> write_zeros(int fd, const std::string& path, uint64_t size) {
  const Bytes zeros = Bytes::zeros(1_MiB);
  for (uint64_t at = 0; at < size;) {
    const size_t want = std::min<uint64_t>(zeros.size(), size - at);
    const ssize_t n = ::pwrite(fd, zeros.data(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", path, errno);
    at += static_cast<uint64_t>(n);
  }
  return {};
}

Result<> create(int fd, const std::string& path, BlockFileOptions options) {
  const auto size = static_cast<off_t>(options.size);
  const int code = options.preallocate ? ::posix_fallocate(fd, 0, size)
                   : ::ftruncate(fd, size) != 0 ? errno : 0;
  if (code)
    return errno_error(fmt::format("reserve {} bytes for", options.size).c_str(), path, code);
  if (options.zeroed) TRY_VOID(write_zeros(fd, path, options.size));
  if (::fsync(fd) != 0) return errno_error("sync", path, errno);
  return sync_parent(path);
}

/// All or nothing: a host that has no room keeps what it had.
Result<> grow(int fd, const std::string& path, uint64_t from, BlockFileOptions options) {
  const auto size = static_cast<off_t>(options.grow_to);
  const auto old = static_cast<off_t>(from);
  int code = 0;
  if (options.preallocate) code = ::posix_fallocate(fd, old, size - old);
  else if (::ftruncate(fd, size) != 0) code = errno;
  if (!code && ::fsync(fd) != 0) code = errno;
  if (!code) return {};
  static_cast<void>(!::ftruncate(fd, old));
  return errno_error(fmt::format("reserve {} more bytes for", size - old).c_str(), path, code);
}

}  // namespace

Result<std::unique_ptr<BlockFile>> FileBlock::open(ThreadPool& pool, const std::string& path,
                                                   BlockFileOptions options) {
  const int flags = (options.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC;
  Fd fd(::open(path.c_str(), flags | (options.create ? O_CREAT | O_EXCL : 0), 0644));
  if (!fd.valid()) return errno_error(options.create ? "create" : "open", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(EBUSY, fmt::format("{} is in use by another process", path));
  if (options.create) {
    if (auto created = create(fd.get(), path, options); !created) {
      ::unlink(path.c_str());
      return created.error();
    }
  }
  struct stat st;
  if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
  auto size = static_cast<uint64_t>(st.st_size);
  if (options.grow_to > size) {
    TRY_VOID(grow(fd.get(), path, size, options));
    size = options.grow_to;
  }
  Fd direct(::open(path.c_str(), flags | O_DIRECT));  // some file systems have none
  return std::unique_ptr<BlockFile>(
      new FileBlock(pool, path, std::move(fd), std::move(direct), size));
}

Task<Result<Bytes>> FileBlock::read(uint64_t offset, size_t length) {
  if (!in_range(offset, length))
    co_return fail(EIO, fmt::format("{}: no {} bytes at {}", path_, length, offset));
  Buffer buffer(length, length >= kDirect ? kBlock : 8);
  size_t have = 0;
  if (length <= kInlineRead) {
    iovec iov{buffer.data(), length};
    const ssize_t n = ::preadv2(fd_.get(), &iov, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    if (n > 0) have = static_cast<size_t>(n);
  }
  if (have < length) {
    auto rest = [&] { return read_rest(offset + have, buffer.span().subspan(have)); };
    CO_TRY_VOID(co_await offload(pool_, rest));
  }
  co_return Bytes::take(std::move(buffer));
}

int FileBlock::way(uint64_t offset, std::span<const iovec> iov) const {
  uint64_t length = 0;
  uint64_t bits = offset;
  for (const auto& piece : iov) {
    bits |= reinterpret_cast<uintptr_t>(piece.iov_base) | piece.iov_len;
    length += piece.iov_len;
  }
  const bool large = length >= kDirect && length >= iov.size() * kDirectPiece;
  return direct_.valid() && large && bits % kBlock == 0 ? direct_.get() : fd_.get();
}

Result<> FileBlock::read_rest(uint64_t offset, std::span<uint8_t> into) {
  while (!into.empty()) {
    const iovec piece{into.data(), into.size()};
    const int fd = way(offset, {&piece, 1});
    const ssize_t n = ::pread(fd, into.data(), into.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path_, errno);
    if (n == 0) return fail(EIO, fmt::format("{} ends early at {}", path_, offset));
    into = into.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

Task<Result<>> FileBlock::write(uint64_t offset, std::vector<Bytes> pieces) {
  uint64_t length = 0;
  for (const auto& p : pieces) length += p.size();
  if (!in_range(offset, length))
    co_return fail(EIO, fmt::format("{}: no {} bytes at {}", path_, length, offset));
  auto all = [&] { return write_all(offset, pieces); };
  co_return co_await offload(pool_, all);
}

Result<> FileBlock::write_all(uint64_t offset, const std::vector<Bytes>& pieces) {
  std::vector<iovec> iov;
  iov.reserve(pieces.size());
  for (const auto& p : pieces)
    if (!p.empty()) iov.push_back({const_cast<uint8_t*>(p.data()), p.size()});
  size_t first = 0;
  while (first < iov.size()) {
    const int count = static_cast<int>(std::min<size_t>(iov.size() - first, IOV_MAX));
    const int fd = way(offset, std::span(iov).subspan(first, static_cast<size_t>(count)));
    ssize_t n = ::pwritev(fd, &iov[first], count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", path_, errno);
    offset += static_cast<uint64_t>(n);
    while (n > 0) {
      const size_t part = std::min(static_cast<size_t>(n), iov[first].iov_len);
      iov[first].iov_base = static_cast<uint8_t*>(iov[first].iov_base) + part;
      iov[first].iov_len -= part;
      n -= static_cast<ssize_t>(part);
      if (iov[first].iov_len == 0) first++;
    }
  }
  return {};
}

Task<Result<>> FileBlock::write_durable(uint64_t offset, Bytes data) {
  if (!in_range(offset, data.size()))
    co_return fail(EIO, fmt::format("{}: no {} bytes at {}", path_, data.size(), offset));
  auto all = [&] {
    const auto began = std::chrono::steady_clock::now();
    auto done = write_through(offset, data);
    pace_.took(std::chrono::steady_clock::now() - began);
    return done;
  };
  if (data.size() <= kInlineWrite && pace_.is_quick()) co_return all();
  co_return co_await offload(pool_, all);
}

Result<> FileBlock::write_through(uint64_t offset, const Bytes& data) {
  // One request that the device completes when it is durable; it does not pass the page cache, so
  // nothing is left to sync. A short or refused one is done again the ordinary way.
  const uint64_t bits = offset | reinterpret_cast<uintptr_t>(data.data()) | data.size();
  if (direct_.valid() && bits % kBlock == 0) {
    const iovec iov{const_cast<uint8_t*>(data.data()), data.size()};
    const ssize_t n =
        ::pwritev2(direct_.get(), &iov, 1, static_cast<off_t>(offset), RWF_DSYNC);
    if (n == static_cast<ssize_t>(data.size())) return {};
    if (n < 0 && errno != EINTR && errno != EINVAL && errno != EOPNOTSUPP)
      return errno_error("write", path_, errno);
  }
  const std::vector<Bytes> pieces(1, data);
  TRY_VOID(write_all(offset, pieces));
  if (::fdatasync(fd_.get()) != 0) return errno_error("sync", path_, errno);
  return {};
}

struct FileBlock::SyncJob final : ThreadPool::Job {
  explicit SyncJob(FileBlock& f) : file(f) {}
  void run() override {
    while (file.sync_once()) {
    }
  }
  FileBlock& file;
};

Task<Result<>> FileBlock::sync() {
  auto start = [this](SyncWaiter waiter) { request_sync(std::move(waiter)); };
  co_return co_await suspend<Result<>>(start);
}

void FileBlock::request_sync(SyncWaiter waiter) {
  {
    std::lock_guard lock(sync_mutex_);
    sync_waiting_.push_back(std::move(waiter));
    if (sync_running_) return;
    sync_running_ = true;
  }
  pool_.submit(std::make_unique<SyncJob>(*this));
}

bool FileBlock::sync_once() {
  std::vector<SyncWaiter> mine;
  Result<> result;
  {
    std::lock_guard lock(sync_mutex_);
    mine.swap(sync_waiting_);
    if (sync_failed_) result = *sync_failed_;
  }
  if (result && ::fdatasync(fd_.get()) != 0) result = errno_error("sync", path_, errno);
  bool more;
  {
    std::lock_guard lock(sync_mutex_);
    if (!result) sync_failed_ = result.error();
    more = !sync_waiting_.empty();
    sync_running_ = more;
  }
  // Last: where nobody waits any more, the file may be destroyed as soon as these tasks go on.
  for (auto& w : mine) complete(std::move(w), result);
  return more;
}

}  // namespace plimsoll::real
