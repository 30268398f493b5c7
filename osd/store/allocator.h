// SPDX-License-Identifier: LGPL-2.1-or-later
// Allocator: which blocks of the block file are free, in memory. A bitmap with a count per chunk of
// 512 blocks, so that its size depends on the device alone (32 KiB per GiB) and a search skips what
// is full. Next fit with two cursors: small requests fill the last quarter first, large ones go
// from the front, so that small ones do not cut up the space of large ones. FreeMap is the same
// knowledge as it stands in the key-value store. Pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace plimsoll::osd {

struct BlockRun {
  uint64_t first = 0;
  uint64_t count = 0;
  uint64_t end() const { return first + count; }
  auto operator<=>(const BlockRun&) const = default;
};

class Allocator {
 public:
  /// All blocks are in use until released.
  explicit Allocator(uint64_t blocks);

  uint64_t free() const { return free_; }
  /// Appends runs of `count` blocks in total: one where one is long enough, otherwise the longest
  /// there are. count <= free().
  void allocate(uint64_t count, std::vector<BlockRun>& out);
  /// Every block of it must be in use.
  void release(BlockRun run);
  bool is_free(uint64_t block) const { return words_[block / 64] >> (block % 64) & 1; }

 private:
  /// The first free run of at least `want` blocks at or after `from`, wrapping around once; cut to
  /// `want`. count = 0 where there is none, and longest_ is exact then.
  BlockRun find(uint64_t want, uint64_t from);
  /// Searches [from, to); `longest` is raised to the longest run seen.
  BlockRun find_in(uint64_t want, uint64_t from, uint64_t to, uint64_t& longest) const;
  void set(BlockRun run, bool free);
  /// Length of the free run around `run`, or free() where that is not near.
  uint64_t merged(BlockRun run) const;

  uint64_t blocks_;
  uint64_t free_ = 0;
  uint64_t longest_ = 0;  ///< no free run is longer
  uint64_t small_cursor_;
  uint64_t large_cursor_ = 0;
  std::vector<uint64_t> words_;       ///< bit set: free
  std::vector<uint32_t> chunk_free_;
};

/// Used blocks as bitmaps of 1024 blocks each, one value per chunk, none for an empty chunk. It
/// follows the durable state: transactions enter it in the order in which they commit.
class FreeMap {
 public:
  static constexpr uint64_t kChunk = 1024;

  explicit FreeMap(uint64_t blocks);
  /// A chunk as it was read; EINVAL where it does not fit the device.
  Result<> load(uint64_t chunk, std::string_view bitmap);
  void mark(BlockRun run, bool used);
  bool is_used(uint64_t block) const { return words_[block / 64] >> (block % 64) & 1; }
  /// All runs that are not used, ascending.
  std::vector<BlockRun> free_runs() const;
  /// Chunks that changed since the last call.
  std::set<uint64_t> take_dirty() { return std::exchange(dirty_, {}); }
  /// Empty where no block of the chunk is used.
  std::string bitmap(uint64_t chunk) const;

 private:
  uint64_t blocks_;
  std::vector<uint64_t> words_;
  std::set<uint64_t> dirty_;
};

}  // namespace plimsoll::osd
