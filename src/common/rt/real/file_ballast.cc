// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/file_ballast.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace plimsoll::real {

Result<std::unique_ptr<Ballast>> FileBallast::open(ThreadPool& pool, const std::string& path,
                                                   std::optional<uint64_t> whole) {
  auto out = std::make_unique<FileBallast>(pool, path);
  TRY_VOID(out->look());
  out->whole_ = whole.value_or(out->held_);
  if (out->held_ > out->whole_) TRY_VOID(out->cut(out->whole_));
  return std::unique_ptr<Ballast>(std::move(out));
}

Result<> FileBallast::look() {
  struct stat st;
  if (::stat(path_.c_str(), &st) != 0) {
    if (errno == ENOENT) return {};
    return errno_error("stat", path_, errno);
  }
  // Holes hold nothing: the file may have been copied.
  held_ = std::min(static_cast<uint64_t>(st.st_size), static_cast<uint64_t>(st.st_blocks) * 512);
  return {};
}

Result<> FileBallast::cut(uint64_t to) {
  Fd fd(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open", path_, errno);
  if (::ftruncate(fd.get(), static_cast<off_t>(to)) != 0)
    return errno_error("shorten", path_, errno);
  held_ = to;
  // Some file systems give blocks away only when their own journal has noted that they are free.
  if (::fsync(fd.get()) != 0) return errno_error("sync", path_, errno);
  return {};
}

bool FileBallast::release(uint64_t bytes) {
  std::lock_guard lock(mutex_);
  const uint64_t held = held_;
  if (!held) return false;
  return cut(held - std::min(held, std::max(bytes, kStep))).has_value();
}

Result<> FileBallast::grow(uint64_t spare) {
  std::lock_guard lock(mutex_);
  const uint64_t held = held_, missing = whole_ - held;
  if (!missing) return {};
  TRY(free, host_free(path_.substr(0, path_.rfind('/'))));
  const auto too_little = [&] {
    return fail(ENOSPC, fmt::format("{}: {} bytes are missing and {} to spare, the host has {}",
                                    path_, missing, spare, free));
  };
  if (free < missing + spare) return too_little();
  Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("create", path_, errno);
  // Not posix_fallocate(), which writes all blocks where the file system has no such call.
  if (::fallocate(fd.get(), 0, 0, static_cast<off_t>(whole_.load())) != 0) {
    const int code = errno;
    [[maybe_unused]] const auto undone = cut(held);
    if (code == EOPNOTSUPP) whole_ = 0;
    return code == ENOSPC ? Result<>(too_little()) : errno_error("allocate", path_, code);
  }
  held_ = whole_.load();
  if (::fsync(fd.get()) != 0) return errno_error("sync", path_, errno);
  return sync_parent(path_);
}

Task<Result<>> FileBallast::restore(uint64_t spare) {
  auto all = [&] { return grow(spare); };
  co_return co_await offload(pool_, all);
}

}  // namespace plimsoll::real
