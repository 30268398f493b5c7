// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes and counts as Ceph shows them to people: a number of at most seven characters and a unit,
// exact where the number is whole.
#pragma once

#include <cstdint>
#include <string>

namespace plimsoll {

/// "0 B", "512 B", "1.5 KiB", "32 MiB": at most seven characters.
std::string bytes_text(uint64_t bytes);
/// "12 MiB", "3 KiB": whole and rounded up, for what must suffice.
std::string bytes_text_up(uint64_t bytes);
/// "0", "999", "1.50k", "32M": decimal.
std::string si_text(uint64_t n);

}  // namespace plimsoll
