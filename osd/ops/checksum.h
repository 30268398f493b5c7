// SPDX-License-Identifier: LGPL-2.1-or-later
// The xxHash functions (32 and 64 bit), which the CHECKSUM operation offers besides crc32c.
#pragma once

#include <cstdint>
#include <string_view>

namespace plimsoll::osd {

uint32_t xxhash32(uint32_t seed, std::string_view data);
uint64_t xxhash64(uint64_t seed, std::string_view data);

}  // namespace plimsoll::osd
