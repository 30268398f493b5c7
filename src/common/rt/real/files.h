// SPDX-License-Identifier: LGPL-2.1-or-later
// Small files, directories and what the host tells about itself. Blocking: for start, stop and rare
// changes only.
#pragma once

#include <memory>
#include <string>

#include "common/base/stream.h"
#include "common/rt/runtime.h"

namespace plimsoll::real {

/// Owns a file descriptor.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
  Fd& operator=(Fd&& o) noexcept {
    std::swap(fd_, o.fd_);
    return *this;
  }
  ~Fd();
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  /// The caller's from now on.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// errno as an Error whose text names `path` and what was tried.
Error errno_error(const char* action, const std::string& path, int code);
/// Makes the entries of the directory that holds `path` durable.
Result<> sync_parent(const std::string& path);

Result<std::string> read_file(const std::string& path);
Result<> write_file(const std::string& path, std::string_view content);
/// A new file (EEXIST), which goes again where finish() is not reached; "-" is standard output.
Result<std::unique_ptr<ByteSink>> open_output(const std::string& path);
/// "-" is standard input.
Result<std::unique_ptr<ByteSource>> open_input(const std::string& path);
Result<> remove_file(const std::string& path);
Result<> make_dirs(const std::string& path);
Result<std::unique_ptr<DirLock>> lock_dir(const std::string& dir);
Result<uint64_t> host_free(const std::string& path);
/// Bytes that the files right under `dir` occupy; -1 where it cannot be read.
int64_t dir_bytes(const std::string& dir);
uint64_t resident_bytes();
std::string host_name();

}  // namespace plimsoll::real
