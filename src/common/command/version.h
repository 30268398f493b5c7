// SPDX-License-Identifier: LGPL-2.1-or-later
// What we say we are. Stock tools compare releases, so we name the Ceph release whose protocols we
// speak wherever they look.
#pragma once

namespace plimsoll {

inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kCephVersion = "16.2.15";
inline constexpr const char* kCephRelease = "pacific";
/// As `versions` and `--version` print it.
inline constexpr const char* kVersionText = "plimsoll version 0.1.0, speaks Ceph 16.2.15 (pacific)";

}  // namespace plimsoll
