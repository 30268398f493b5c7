// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/config/option.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <unordered_map>

#include "common/wire/types.h"

namespace plimsoll::config {

namespace {

constexpr bool RUNTIME = true;
constexpr bool STARTUP = false;
constexpr Type str = Type::kStr, bool_ = Type::kBool, int_ = Type::kInt, uint = Type::kUint,
               float_ = Type::kFloat, secs = Type::kSecs, size = Type::kSize, uuid = Type::kUuid,
               debug = Type::kDebug;
constexpr Level basic = Level::kBasic, advanced = Level::kAdvanced, dev = Level::kDev;

// The type names that are keywords of C++ need a detour.
#define PLIMSOLL_ROW_str str
#define PLIMSOLL_ROW_bool bool_
#define PLIMSOLL_ROW_int int_
#define PLIMSOLL_ROW_uint uint
#define PLIMSOLL_ROW_float float_
#define PLIMSOLL_ROW_secs secs
#define PLIMSOLL_ROW_size size
#define PLIMSOLL_ROW_uuid uuid
#define PLIMSOLL_ROW_debug debug

constexpr Option kOptions[] = {
#define OPT(name, t, fallback, min, max, level, when, services, help) \
  {Opt::name, #name, PLIMSOLL_ROW_##t, fallback, min, max, level, when, services, help},
#include "common/config/options.inc"
#undef OPT
};

std::string_view trim(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.back()))) s.remove_suffix(1);
  return s;
}

Result<int64_t> parse_decimal(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  if (ec == std::errc::result_out_of_range)
    return fail(EINVAL, fmt::format("The option value '{}' seems to be invalid", text));
  if (ec != std::errc() || end != digits.data() + digits.size())
    return fail(EINVAL, fmt::format("Expected option value to be integer, got '{}'", text));
  return v;
}

Result<double> parse_double(std::string_view text) {
  double v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc() || end != text.data() + text.size() || v != v)
    return fail(EINVAL, fmt::format("Expected option value to be a number, got '{}'", text));
  return v;
}

Result<int64_t> parse_bool(std::string_view text) {
  std::string low(text);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return std::tolower(c); });
  if (low == "true" || low == "yes" || low == "on") return 1;
  if (low == "false" || low == "no" || low == "off") return 0;
  TRY(number, parse_decimal(text));
  return number != 0;
}

Result<int64_t> parse_debug(std::string_view text) {
  const std::string_view level = text.substr(0, text.find('/'));
  TRY(number, parse_decimal(level));
  if (level.size() != text.size()) TRY_VOID(parse_decimal(text.substr(level.size() + 1)));
  if (number < 0 || number > 99)
    return fail(EINVAL, fmt::format("'{}' is not a debug level (0 to 99)", text));
  return number;
}

/// The place of `prefix` in "KMGTPE", from 1; 0 where it is none.
int unit_rank(char prefix) {
  static constexpr std::string_view kUnits = "KMGTPE";
  const size_t at = kUnits.find(prefix);
  return at == kUnits.npos ? 0 : static_cast<int>(at) + 1;
}

Result<Value> parse_any(const Option& option, std::string_view text) {
  switch (option.type) {
    case Type::kStr:
      return Value(std::string(text));
    case Type::kUuid: {
      TRY(id, Uuid::parse(text));
      return Value(id.to_string());
    }
    case Type::kBool: {
      TRY(v, parse_bool(text));
      return Value(v);
    }
    case Type::kInt: {
      TRY(v, parse_si(text));
      return Value(v);
    }
    case Type::kDebug: {
      TRY(v, parse_debug(text));
      return Value(v);
    }
    case Type::kUint: {
      TRY(v, parse_si(text));
      if (v < 0) return fail(EINVAL, "strict_si_cast: value should not be negative");
      return Value(static_cast<uint64_t>(v));
    }
    case Type::kSize: {
      TRY(v, parse_size(text));
      return Value(v);
    }
    case Type::kFloat: {
      TRY(v, parse_double(text));
      return Value(v);
    }
    case Type::kSecs: {
      TRY(v, parse_seconds(text));
      return Value(v);
    }
  }
  return fail(EINVAL, "unknown type");
}

double as_number(const Value& v) {
  if (const auto* i = std::get_if<int64_t>(&v)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<uint64_t>(&v)) return static_cast<double>(*u);
  if (const auto* d = std::get_if<double>(&v)) return *d;
  return 0;
}

}  // namespace

std::span<const Option> options() {
  return kOptions;
}

const Option& option(Opt id) {
  return kOptions[static_cast<size_t>(id)];
}

std::string normal_name(std::string_view name) {
  std::string out(trim(name));
  for (char& c : out)
    if (c == ' ' || c == '-' || c == '\t') c = '_';
  return out;
}

const Option* find_option(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string, const Option*> map;
    for (const auto& o : kOptions) map.emplace(o.name, &o);
    return map;
  }();
  const auto it = by_name.find(normal_name(name));
  return it == by_name.end() ? nullptr : it->second;
}

const char* type_name(Type type) {
  switch (type) {
    case Type::kStr:
      return "str";
    case Type::kBool:
      return "bool";
    case Type::kInt:
      return "int";
    case Type::kUint:
      return "uint";
    case Type::kFloat:
      return "float";
    case Type::kSecs:
      return "secs";
    case Type::kSize:
      return "size";
    case Type::kUuid:
      return "uuid";
    case Type::kDebug:
      return "str";  // as Ceph presents debug levels
  }
  return "";
}

const char* level_name(Level level) {
  switch (level) {
    case Level::kBasic:
      return "basic";
    case Level::kAdvanced:
      return "advanced";
    case Level::kDev:
      return "dev";
  }
  return "";
}

Result<Value> parse_value(const Option& option, std::string_view text) {
  TRY(value, parse_any(option, trim(text)));
  // Limits are conf texts of the same type, so they are read in the same way.
  if (*option.min) {
    TRY(least, parse_any(option, option.min));
    if (as_number(value) < as_number(least))
      return fail(EINVAL, fmt::format("Value '{}' is below minimum {}", text, option.min));
  }
  if (*option.max) {
    TRY(most, parse_any(option, option.max));
    if (as_number(value) > as_number(most))
      return fail(EINVAL, fmt::format("Value '{}' exceeds maximum {}", text, option.max));
  }
  return value;
}

std::string value_text(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::kStr:
    case Type::kUuid:
      return std::get<std::string>(value);
    case Type::kBool:
      return std::get<int64_t>(value) ? "true" : "false";
    case Type::kInt:
      return fmt::to_string(std::get<int64_t>(value));
    case Type::kDebug:
      return fmt::format("{0}/{0}", std::get<int64_t>(value));
    case Type::kUint:
    case Type::kSize:
      return fmt::to_string(std::get<uint64_t>(value));
    case Type::kFloat:
      return fmt::format("{:.6f}", std::get<double>(value));
    case Type::kSecs:
      return fmt::format("{:g}", std::get<double>(value));
  }
  return "";
}

Result<int64_t> parse_si(std::string_view text) {
  if (text.empty()) return fail(EINVAL, "strict_sistrtoll: value not specified");
  int64_t factor = 1;
  std::string_view digits = text;
  if (text.find_first_not_of("0123456789+-") != text.npos) {
    const int rank = unit_rank(text.back());
    if (rank == 0 && text.back() != 'B')
      return fail(EINVAL, "strict_si_cast: unit prefix not recognized");
    for (int i = 0; i < rank; i++) factor *= 1000;
    digits.remove_suffix(1);
  }
  TRY(v, parse_decimal(digits));
  if (v > INT64_MAX / factor) return fail(EINVAL, "strict_si_cast: value seems to be too large");
  if (v < INT64_MIN / factor) return fail(EINVAL, "strict_si_cast: value seems to be too small");
  return v * factor;
}

Result<uint64_t> parse_size(std::string_view text) {
  if (text.empty()) return fail(EINVAL, "strict_iecstrtoll: value not specified");
  const size_t digits = std::min(text.find_first_not_of("0123456789-+"), text.size());
  std::string_view unit = text.substr(digits);
  if (unit.size() == 3 && unit.ends_with("iB")) unit.remove_suffix(1);
  if (unit.size() > 2) return fail(EINVAL, "strict_iecstrtoll: illegal prefix (length > 2)");
  if (unit.size() == 2 && unit[1] != 'i')
    return fail(EINVAL, "strict_iecstrtoll: illegal prefix requires trailing 'i'");
  const int rank = unit.empty() ? 0 : unit_rank(unit[0]);
  if (!unit.empty() && rank == 0 && unit != "B")
    return fail(EINVAL, "strict_iecstrtoll: unit prefix not recognized");
  TRY(v, parse_decimal(text.substr(0, digits)));
  if (v < 0) return fail(EINVAL, "strict_iecstrtoll: value should not be negative");
  if (static_cast<uint64_t>(v) > static_cast<uint64_t>(INT64_MAX) >> (10 * rank))
    return fail(EINVAL, "strict_iecstrtoll: value seems to be too large");
  return static_cast<uint64_t>(v) << (10 * rank);
}

Result<double> parse_seconds(std::string_view text) {
  const size_t digits = std::min(text.find_first_not_of("0123456789.-+e"), text.size());
  TRY(v, parse_double(trim(text.substr(0, digits))));
  if (v < 0) return fail(EINVAL, fmt::format("'{}' is a negative time", text));
  std::string unit(trim(text.substr(digits)));
  if (unit.size() > 2 && unit.ends_with('s')) unit.pop_back();
  struct Unit {
    double seconds;
    std::array<std::string_view, 4> names;
  };
  static constexpr Unit kUnits[] = {{1, {"", "s", "sec", "second"}},
                                    {60, {"m", "min", "minute", "mins"}},
                                    {3600, {"h", "hr", "hour", "hrs"}},
                                    {86400, {"d", "day", "dy", "days"}},
                                    {604800, {"w", "wk", "week", "weeks"}}};
  for (const auto& u : kUnits)
    if (std::ranges::find(u.names, unit) != u.names.end()) return v * u.seconds;
  return fail(EINVAL, fmt::format("'{}' is not a time: unknown unit '{}'", text, unit));
}

}  // namespace plimsoll::config
