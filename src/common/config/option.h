// SPDX-License-Identifier: LGPL-2.1-or-later
// What an option is: a row of options.inc, its types, and the conversion between the texts of conf
// files and values. Pure. Texts that we print are Ceph's: "true", "0.950000", plain byte counts.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.h"

namespace plimsoll::config {

enum class Type : uint8_t { kStr, kBool, kInt, kUint, kFloat, kSecs, kSize, kUuid, kDebug };
enum class Level : uint8_t { kBasic, kAdvanced, kDev };

/// Position in options.inc: Opt::osd_heartbeat_grace.
enum class Opt : uint16_t {
#define OPT(name, ...) name,
#include "common/config/options.inc"
#undef OPT
  kCount
};
inline constexpr size_t kOptionCount = static_cast<size_t>(Opt::kCount);

struct Option {
  Opt id;
  const char* name;
  Type type;
  const char* fallback;  ///< the default, in conf file form
  const char* min;
  const char* max;
  Level level;
  bool runtime;  ///< takes effect by `config set`
  const char* services;
  const char* help;
};

/// All rows, in the order of options.inc.
std::span<const Option> options();
const Option& option(Opt id);
/// By name, with spaces and dashes taken as underscores; nullptr where there is none.
const Option* find_option(std::string_view name);
/// "osd_heartbeat_grace" from "osd heartbeat-grace".
std::string normal_name(std::string_view name);

const char* type_name(Type type);  ///< "uint", as `config help` says
const char* level_name(Level level);

/// A checked value: kBool, kInt and kDebug as int64_t, kUint and kSize as uint64_t, kFloat and
/// kSecs as double, the rest as text. A debug level reads "5" or "5/20", of which the first counts.
using Value = std::variant<int64_t, uint64_t, double, std::string>;

/// Converts and checks against type and range; EINVAL says why, in Ceph's words where Ceph has any.
Result<Value> parse_value(const Option& option, std::string_view text);
/// As `config show` prints it.
std::string value_text(const Option& option, const Value& value);

/// "4K" -> 4096 ("K", "Ki", "KiB" alike, B K M G T P E); EINVAL in Ceph's words.
Result<uint64_t> parse_size(std::string_view text);
/// "1.5k" -> 1500: decimal, as Ceph reads its int and uint options.
Result<int64_t> parse_si(std::string_view text);
/// Seconds: "30", "0.5", "10s", "5m", "2 hours".
Result<double> parse_seconds(std::string_view text);

}  // namespace plimsoll::config
