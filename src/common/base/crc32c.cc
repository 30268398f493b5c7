// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace plimsoll {

uint32_t crc32c(uint32_t crc, std::string_view data) {
  // isa-l takes an int length and a non-const pointer that it only reads.
  constexpr size_t kChunk = 1u << 30;
  while (!data.empty()) {
    size_t n = std::min(kChunk, data.size());
    auto* p = reinterpret_cast<unsigned char*>(const_cast<char*>(data.data()));
    crc = crc32_iscsi(p, static_cast<int>(n), crc);
    data.remove_prefix(n);
  }
  return crc;
}

}  // namespace plimsoll
