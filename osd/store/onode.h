// SPDX-License-Identifier: LGPL-2.1-or-later
// Onode: all that the store knows of one object besides its bytes and omap: size, where its blocks
// lie, a checksum of each, attributes, hints. The mapping is in blocks; a block that is not mapped
// reads as zeros, and in the last block whatever lies past the size is zero. Pure.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/wire/types.h"
#include "osd/store/allocator.h"
#include "osd/store/usage.h"

namespace plimsoll::osd {

/// A run of blocks that is contiguous in the object and in the block file.
struct MappedRun {
  uint64_t logical = 0;
  uint64_t physical = 0;
  std::vector<uint32_t> crcs;  ///< crc32c of each block, seed -1
  uint64_t count() const { return crcs.size(); }
  uint64_t end() const { return logical + crcs.size(); }
  bool operator==(const MappedRun&) const = default;
};

struct Onode {
  uint64_t size = 0;
  uint64_t expected_object_size = 0;
  uint64_t expected_write_size = 0;
  uint64_t omap_id = 0;     ///< 0: no omap
  uint64_t omap_keys = 0;
  uint64_t omap_bytes = 0;  ///< live key-value bytes, header included
  std::map<std::string, Bytes> attrs;
  std::vector<MappedRun> runs;  ///< ascending, apart or not contiguous in the block file

  bool operator==(const Onode&) const = default;

  uint64_t mapped_blocks() const;
  /// Bytes of the object in mapped blocks.
  uint64_t stored_bytes() const;
  /// The run that maps `logical`; nullptr for a hole.
  const MappedRun* find(uint64_t logical) const;
  /// What [first, end) maps, cut to it.
  std::vector<MappedRun> mapped(uint64_t first, uint64_t end) const;
  /// Maps blocks that are holes now.
  void map(MappedRun run);
  void set_crc(uint64_t logical, uint32_t crc);
  /// Unmaps [first, end) and appends what was behind it to `freed`.
  void unmap(uint64_t first, uint64_t end, std::vector<BlockRun>& freed);
  /// `kv_bytes`: of its key and encoded value.
  Usage usage(uint64_t kv_bytes) const;
  /// Roughly what it takes in memory.
  size_t memory_bytes() const;
};

void encode(const Onode& o, ByteWriter& w);
void decode(Onode& o, ByteReader& r);

}  // namespace plimsoll::osd
