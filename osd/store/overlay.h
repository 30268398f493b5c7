// SPDX-License-Identifier: LGPL-2.1-or-later
// Overlays: a block file and a key-value store over others that are only read. What is written
// stays in memory, and reads see it. With them a tool replays the journal of a stopped OSD, reads
// the store as a mount would find it, and leaves every file as it is. Memory is bounded by what is
// written: replay writes no more than the journal holds.
#pragma once

#include <map>
#include <memory>

#include "common/rt/block_file.h"
#include "common/rt/kv.h"

namespace plimsoll::osd {

class OverlayBlockFile final : public BlockFile {
 public:
  explicit OverlayBlockFile(std::unique_ptr<BlockFile> base) : base_(std::move(base)) {}
  uint64_t size() const override { return base_->size(); }
  Task<Result<Bytes>> read(uint64_t offset, size_t length) override;
  /// Whole blocks only.
  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override;
  Task<Result<>> write_durable(uint64_t offset, Bytes data) override;
  Task<Result<>> sync() override { co_return Result<>(); }

 private:
  std::unique_ptr<BlockFile> base_;
  std::map<uint64_t, std::string> blocks_;  ///< by number
};

class OverlayKv final : public Kv {
 public:
  explicit OverlayKv(std::unique_ptr<Kv> base) : base_(std::move(base)) {}
  Task<Result<std::optional<std::string>>> get(std::string key) override;
  Task<Result<std::vector<Pair>>> scan(std::string from, std::string to, size_t limit,
                                       size_t max_bytes) override;
  Task<Result<std::optional<Pair>>> last(std::string from, std::string to) override;
  Task<Result<>> commit(KvBatch batch) override { return apply(std::move(batch)); }
  Task<Result<>> apply(KvBatch batch) override;
  Task<Result<>> sync() override { co_return Result<>(); }
  Task<Result<>> compact() override { co_return Result<>(); }
  int64_t host_bytes() override { return base_->host_bytes(); }
  Task<void> close() override { return base_->close(); }

 private:
  using Changed = std::map<std::string, std::optional<std::string>>;
  /// The first that was put or erased in [from, to), or end().
  Changed::const_iterator first_changed(const std::string& from, const std::string& to) const;
  /// Whether the base's pair of this key is not to be seen.
  bool hidden(const std::string& key) const;
  void erase_range(const std::string& from, const std::string& to);

  std::unique_ptr<Kv> base_;
  Changed changed_;                            ///< nullopt: erased
  std::map<std::string, std::string> erased_;  ///< ranges: from -> to, apart from each other
};

}  // namespace plimsoll::osd
