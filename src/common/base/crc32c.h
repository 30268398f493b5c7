// SPDX-License-Identifier: LGPL-2.1-or-later
// CRC-32C (Castagnoli) the way Ceph uses it: a running register in, a running register out, no
// final inversion. "Seed -1" is 0xffffffff. By isa-l, which uses the CPU's instructions.
#pragma once

#include <cstdint>
#include <string_view>

namespace plimsoll {

uint32_t crc32c(uint32_t crc, std::string_view data);

}  // namespace plimsoll
