// SPDX-License-Identifier: LGPL-2.1-or-later
// The rjenkins family by which Ceph places objects: the string hash of object names and the integer
// hashes of CRUSH. Bit-exact; placement on every client depends on them.
#pragma once

#include <cstdint>
#include <string_view>

namespace plimsoll {

/// Hash of an object's name or locator key (wire.md 6.1).
uint32_t rjenkins_str(std::string_view s);
/// CRUSH integer hashes (wire.md 6.4).
uint32_t rjenkins2(uint32_t a, uint32_t b);
uint32_t rjenkins3(uint32_t a, uint32_t b, uint32_t c);
uint32_t rjenkins4(uint32_t a, uint32_t b, uint32_t c, uint32_t d);

}  // namespace plimsoll
