// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/checked_read.h"

#include <fmt/format.h>

#include "common/base/crc32c.h"
#include "osd/store/format.h"

namespace plimsoll::osd {

uint32_t block_crc(std::string_view block) { return crc32c(0xffffffff, block); }

Task<Result<Bytes>> read_checked(BlockFile& file, MappedRun run) {
  CO_TRY(data, co_await file.read(run.physical * kBlock, run.count() * kBlock));
  for (uint64_t i = 0; i < run.count(); i++) {
    const uint32_t crc = block_crc(data.view().substr(i * kBlock, kBlock));
    if (crc != run.crcs[i])
      co_return fail(
          EIO, fmt::format("checksum mismatch at offset {} (block {} has {:08x}, want {:08x})",
                           (run.logical + i) * kBlock, run.physical + i, crc, run.crcs[i]));
  }
  co_return data;
}

}  // namespace plimsoll::osd
