// SPDX-License-Identifier: LGPL-2.1-or-later
// FileBallast: a Ballast in a file whose blocks are allocated and never written. Its size is what
// it holds. The file is not there before it is first restored: a full host has no room for it.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "common/rt/ballast.h"
#include "common/rt/real/files.h"
#include "common/rt/real/thread_pool.h"

namespace plimsoll::real {

class FileBallast : public Ballast {
 public:
  /// Released at least this much at a time.
  static constexpr uint64_t kStep = uint64_t{4} << 20;

  /// Blocks.
  static Result<std::unique_ptr<Ballast>> open(ThreadPool& pool, const std::string& path,
                                               std::optional<uint64_t> whole);
  FileBallast(ThreadPool& pool, std::string path) : pool_(pool), path_(std::move(path)) {}

  uint64_t whole() const override { return whole_; }
  uint64_t held() const override { return held_; }
  bool release(uint64_t bytes) override;
  Task<Result<>> restore(uint64_t spare) override;

 private:
  Result<> look();
  Result<> grow(uint64_t spare);
  Result<> cut(uint64_t to);

  ThreadPool& pool_;
  const std::string path_;
  std::mutex mutex_;  ///< of the file
  std::atomic<uint64_t> whole_{0};
  std::atomic<uint64_t> held_{0};
};

}  // namespace plimsoll::real
