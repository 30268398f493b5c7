// SPDX-License-Identifier: LGPL-2.1-or-later
// Byte sizes and their texts.
#pragma once

#include <cstdint>

namespace plimsoll {

inline constexpr uint64_t operator""_KiB(unsigned long long n) { return n << 10; }
inline constexpr uint64_t operator""_MiB(unsigned long long n) { return n << 20; }
inline constexpr uint64_t operator""_GiB(unsigned long long n) { return n << 30; }

/// `v` rounded up to a multiple of `unit` (unit > 0).
inline constexpr uint64_t round_up(uint64_t v, uint64_t unit) {
  return (v + unit - 1) / unit * unit;
}
inline constexpr uint64_t round_down(uint64_t v, uint64_t unit) { return v / unit * unit; }

}  // namespace plimsoll
