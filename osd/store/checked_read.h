// SPDX-License-Identifier: LGPL-2.1-or-later
// Reading the block file: nothing that comes from it is used before its checksum was compared.
#pragma once

#include "common/rt/block_file.h"
#include "osd/store/onode.h"

namespace plimsoll::osd {

/// Of one block.
uint32_t block_crc(std::string_view block);
/// All blocks of `run`. EIO names the object's offset where a checksum differs.
Task<Result<Bytes>> read_checked(BlockFile& file, MappedRun run);

}  // namespace plimsoll::osd
