// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "common/base/units.h"

namespace plimsoll::real {

namespace fs = std::filesystem;

namespace {

constexpr size_t kMaxFile = 64_MiB;

Result<> write_all(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t n = ::write(fd, data.data(), data.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("write", path, errno);
    data.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

class OutputFile : public ByteSink {
 public:
  OutputFile(std::string path, Fd fd, bool made)
      : path_(std::move(path)), fd_(std::move(fd)), made_(made) {}
  ~OutputFile() override {
    if (made_) ::unlink(path_.c_str());
  }
  Result<> write(std::string_view data) override {
    buffer_ += data;
    return buffer_.size() < kBuffer ? Result<>() : flush();
  }
  Result<> finish() override {
    TRY_VOID(flush());
    // A pipe or a terminal cannot be synced, and need not.
    if (::fsync(fd_.get()) != 0 && errno != EINVAL && errno != EROFS)
      return errno_error("sync", path_, errno);
    if (!made_) return {};
    made_ = false;
    return sync_parent(path_);
  }

 private:
  static constexpr size_t kBuffer = 256_KiB;
  Result<> flush() {
    auto written = write_all(fd_.get(), buffer_, path_);
    buffer_.clear();
    return written;
  }
  const std::string path_;
  const Fd fd_;
  bool made_;  ///< and not finished
  std::string buffer_;
};

class InputFile : public ByteSource {
 public:
  InputFile(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  Result<size_t> read(std::span<uint8_t> into) override {
    size_t have = 0;
    while (have < into.size()) {
      const ssize_t n = ::read(fd_.get(), into.data() + have, into.size() - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("read", path_, errno);
      if (n == 0) break;
      have += static_cast<size_t>(n);
    }
    return have;
  }

 private:
  const std::string path_;
  const Fd fd_;
};

struct FlockedDir : DirLock {
  explicit FlockedDir(Fd f) : fd(std::move(f)) {}
  Fd fd;
};

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Error errno_error(const char* action, const std::string& path, int code) {
  return fail(code, fmt::format("cannot {} {}: {}", action, path, std::strerror(code)));
}

Result<> sync_parent(const std::string& path) {
  std::string parent = fs::path(path).parent_path().string();
  if (parent.empty()) parent = ".";
  Fd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_error("sync", parent, errno);
  return {};
}

Result<std::string> read_file(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open", path, errno);
  std::string out;
  char chunk[16384];
  for (;;) {
    const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno_error("read", path, errno);
    if (n == 0) return out;
    if (out.size() + static_cast<size_t>(n) > kMaxFile)
      return fail(EFBIG, fmt::format("{} is larger than {} bytes", path, kMaxFile));
    out.append(chunk, static_cast<size_t>(n));
  }
}

Result<> write_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("create", temporary, errno);
  auto written = write_all(fd.get(), content, temporary);
  if (written && ::fsync(fd.get()) != 0) written = errno_error("sync", temporary, errno);
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0)
    written = errno_error("rename to", path, errno);
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_parent(path);
}

Result<std::unique_ptr<ByteSink>> open_output(const std::string& path) {
  const bool standard = path == "-";
  Fd fd(standard ? ::dup(STDOUT_FILENO)
                 : ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("create", path, errno);
  return std::unique_ptr<ByteSink>(
      new OutputFile(standard ? "standard output" : path, std::move(fd), !standard));
}

Result<std::unique_ptr<ByteSource>> open_input(const std::string& path) {
  const bool standard = path == "-";
  Fd fd(standard ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return errno_error("open", path, errno);
  return std::unique_ptr<ByteSource>(
      new InputFile(standard ? "standard input" : path, std::move(fd)));
}

Result<> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return errno_error("remove", path, errno);
  return sync_parent(path);
}

Result<> make_dirs(const std::string& path) {
  std::error_code ec;
  fs::create_directories(path, ec);
  if (ec) return errno_error("create directory", path, ec.value());
  return {};
}

Result<std::unique_ptr<DirLock>> lock_dir(const std::string& dir) {
  const std::string path = dir + "/lock";
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error("open", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return fail(EBUSY, fmt::format("{} is in use by another daemon (it holds {})", dir, path));
    return errno_error("lock", path, errno);
  }
  return std::unique_ptr<DirLock>(new FlockedDir(std::move(fd)));
}

Result<uint64_t> host_free(const std::string& path) {
  struct statvfs st;
  if (::statvfs(path.c_str(), &st) != 0) return errno_error("stat the file system of", path, errno);
  return uint64_t{st.f_bavail} * st.f_frsize;
}

int64_t dir_bytes(const std::string& dir) {
  std::error_code ec;
  int64_t sum = 0;
  for (const auto& entry : fs::directory_iterator(dir, ec)) {
    struct stat st;
    // A file may go between listing and stat.
    if (::stat(entry.path().c_str(), &st) == 0) sum += int64_t{st.st_blocks} * 512;
  }
  return ec ? -1 : sum;
}

uint64_t resident_bytes() {
  auto text = read_file("/proc/self/statm");
  unsigned long total = 0, resident = 0;
  if (!text || std::sscanf(text->c_str(), "%lu %lu", &total, &resident) != 2) return 0;
  return resident * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  const std::string full = name;
  return full.substr(0, full.find('.'));
}

}  // namespace plimsoll::real
