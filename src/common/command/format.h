// SPDX-License-Identifier: LGPL-2.1-or-later
// How Ceph prints: JSON compact and pretty, and counts of bytes and things with units. Pure.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace plimsoll::command {

enum class Format : uint8_t { kPlain, kJson, kJsonPretty };
/// "", "plain", "json", "json-pretty"; anything else EINVAL.
Result<Format> parse_format(std::string_view name);

/// Floats: 17 significant digits (most commands), or nine decimals (perf dump).
enum class Floats : uint8_t { kShort, kNineDecimals };

/// kPlain prints as kJsonPretty. Pretty: 4 spaces, "key": value, a newline at the end.
std::string print(const boost::json::value& v, Format format, Floats floats = Floats::kShort);

/// A fixed number of decimals.
std::string fixed(double v, int decimals);
/// As C++ streams print a double at `precision` significant digits ("0.95", "1", "1e-05").
std::string general(double v, int precision = 6);
/// "(22) Invalid argument" of 22 or -22.
std::string errno_text(int code);

}  // namespace plimsoll::command
