// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/command/args.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <charconv>

namespace plimsoll::command {

namespace json = boost::json;

namespace {

constexpr size_t kMaxDepth = 4;

/// A piece of what a client sent, short enough to send back.
std::string excerpt(std::string_view text) {
  constexpr size_t kMax = 200;
  return std::string(text.substr(0, kMax)) + (text.size() > kMax ? "..." : "");
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0;;) {
    at = text.find_first_not_of(" \t\r\n", at);
    if (at == text.npos) return out;
    const size_t end = std::min(text.find_first_of(" \t\r\n", at), text.size());
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

Error bad_field(const Param& p) {
  return fail(EINVAL, fmt::format("bad or missing field '{}'", p.name));
}

/// "0|20" or "0" against a number.
bool in_range(const std::string& range, double v) {
  const size_t bar = range.find('|');
  const auto least = parse_real(range.substr(0, bar));
  CHECK(least);
  if (v < *least) return false;
  if (bar == range.npos) return true;
  const auto most = parse_real(range.substr(bar + 1));
  CHECK(most);
  return v <= *most;
}

/// Whether a class like "[A-Za-z0-9-_.]" admits all of `text`.
bool only_goodchars(std::string_view chars, std::string_view text) {
  if (chars.size() >= 2 && chars.front() == '[' && chars.back() == ']')
    chars = chars.substr(1, chars.size() - 2);
  auto admits = [chars](char c) {
    for (size_t i = 0; i < chars.size(); i++) {
      if (i + 2 < chars.size() && chars[i + 1] == '-') {
        if (chars[i] <= c && c <= chars[i + 2]) return true;
        i += 2;
      } else if (chars[i] == c) {
        return true;
      }
    }
    return false;
  };
  return std::ranges::all_of(text, admits);
}

Result<int64_t> to_int(const Param& p, const json::value& v) {
  if (const auto* i = v.if_int64()) return *i;
  if (v.is_uint64()) return fail(EINVAL, fmt::format("'{}' out of range", v.get_uint64()));
  if (v.is_string()) return parse_int(v.get_string());
  return bad_field(p);
}

Result<double> to_real(const Param& p, const json::value& v) {
  if (const auto* d = v.if_double()) return *d;
  if (const auto* i = v.if_int64()) return static_cast<double>(*i);
  if (const auto* u = v.if_uint64()) return static_cast<double>(*u);
  if (v.is_string()) return parse_real(v.get_string());
  return bad_field(p);
}

Result<OsdId> to_osd(const Param& p, const json::value& v) {
  if (v.is_string()) return parse_osd_name(v.get_string());
  TRY(id, to_int(p, v));
  if (id < 0 || id > INT32_MAX) return fail(EINVAL, fmt::format("invalid osd id {}", id));
  return static_cast<OsdId>(id);
}

/// true, "true", or the flag's own text as old clients send it ("--yes-i-really-mean-it").
Result<bool> to_flag(const Param& p, const json::value& v) {
  if (const auto* b = v.if_bool()) return *b;
  if (!v.is_string()) return bad_field(p);
  const std::string_view text = v.get_string();
  if (text == "true" || text == "1" || text == "yes" || text.starts_with("--")) return true;
  if (text == "false" || text == "0" || text == "no") return false;
  return bad_field(p);
}

Result<> check_string(const Param& p, std::string_view text) {
  if (p.type == ParamType::kChoices && std::ranges::find(p.strings, text) == p.strings.end())
    return fail(EINVAL,
                fmt::format("'{}' not belong to '{}'", excerpt(text), p.attributes.at("strings")));
  if (!p.goodchars.empty() && !only_goodchars(p.goodchars, text))
    return fail(EINVAL, fmt::format("'{}' contains invalid characters: want {}", excerpt(text),
                                    p.goodchars));
  if (p.type == ParamType::kPgid && !PgId::parse(text))
    return fail(EINVAL, fmt::format("invalid pgid '{}'", excerpt(text)));
  if (p.type == ParamType::kUUID && !Uuid::parse(text))
    return fail(EINVAL, fmt::format("invalid uuid '{}'", excerpt(text)));
  return {};
}

Result<> check_number(const Param& p, double v, const std::string& text) {
  if (!p.range.empty() && !in_range(p.range, v))
    return fail(EINVAL, fmt::format("'{}' out of range: {}", text, p.range));
  return {};
}

Result<> check_value(const Param& p, const json::value& v) {
  switch (p.type) {
    case ParamType::kInt: {
      TRY(n, to_int(p, v));
      return check_number(p, static_cast<double>(n), fmt::to_string(n));
    }
    case ParamType::kFloat: {
      TRY(n, to_real(p, v));
      return check_number(p, n, general(n));
    }
    case ParamType::kBool: {
      TRY_VOID(to_flag(p, v));
      return {};
    }
    case ParamType::kOsdName: {
      TRY_VOID(to_osd(p, v));
      return {};
    }
    default:
      if (!v.is_string()) return bad_field(p);
      return check_string(p, v.get_string());
  }
}

/// An empty array stands for nothing.
bool present(const json::object& request, const Param& p) {
  const json::value* v = request.if_contains(p.name);
  if (!v || v->is_null()) return false;
  return !(v->is_array() && v->get_array().empty());
}

}  // namespace

Result<Request> Request::parse(const std::vector<std::string>& pieces) {
  std::string whole;
  for (const auto& piece : pieces) {
    if (whole.size() + piece.size() > kMaxBytes) return fail(E2BIG, "command is larger than 1 MiB");
    whole += piece;
  }
  return parse(whole);
}

Result<Request> Request::parse(std::string_view text) {
  if (text.size() > kMaxBytes) return fail(E2BIG, "command is larger than 1 MiB");
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code ec;
  json::value parsed = json::parse(text, ec, {}, options);
  if (ec) return fail(EINVAL, "unparseable JSON " + excerpt(text));
  if (!parsed.is_object()) return fail(EINVAL, "not JSON object " + excerpt(text));
  Request out;
  out.json = std::move(parsed.get_object());
  if (out.json.size() > kMaxMembers) return fail(EINVAL, "JSON object has too many members");
  const json::value* prefix = out.json.if_contains("prefix");
  if (!prefix || !prefix->is_string() || prefix->get_string().empty())
    return fail(EINVAL, "command prefix not found");
  out.prefix = joined(words_of(prefix->get_string()));
  if (const json::value* format = out.json.if_contains("format")) {
    if (!format->is_string()) return fail(EINVAL, "bad or missing field 'format'");
    TRY(f, parse_format(format->get_string()));
    out.format = f;
  }
  return out;
}

Result<> validate(const Spec& spec, const json::object& request) {
  for (const auto& p : spec.params) {
    if (!present(request, p)) {
      if (p.required) return fail(EINVAL, fmt::format("missing required parameter: '{}'", p.name));
      continue;
    }
    const json::value& v = request.at(p.name);
    if (!v.is_array()) {
      TRY_VOID(check_value(p, v));
    } else if (!p.many) {
      return bad_field(p);
    } else {
      for (const auto& item : v.get_array()) TRY_VOID(check_value(p, item));
    }
  }
  return {};
}

Result<Request> request_from_words(const std::vector<const Spec*>& specs,
                                   const std::vector<std::string>& words) {
  const Spec* best = nullptr;
  size_t best_words = 0;
  for (const Spec* spec : specs) {
    const auto prefix = words_of(spec->prefix);
    if (prefix.size() > words.size() || prefix.size() <= best_words) continue;
    if (!std::equal(prefix.begin(), prefix.end(), words.begin())) continue;
    best = spec;
    best_words = prefix.size();
  }
  if (!best) return fail(EINVAL, "command not known");
  Request out;
  out.prefix = best->prefix;
  out.json["prefix"] = best->prefix;
  size_t next = 0;
  for (size_t i = best_words; i < words.size(); i++) {
    if (next >= best->params.size())
      return fail(EINVAL, fmt::format("unused argument '{}'", excerpt(words[i])));
    const Param& p = best->params[next];
    if (!p.many) {
      out.json[p.name] = words[i];
      next++;
      continue;
    }
    json::value& list = out.json[p.name];
    if (!list.is_array()) list.emplace_array();
    list.get_array().emplace_back(words[i]);
  }
  return out;
}

Result<int64_t> parse_int(std::string_view text) {
  int64_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc() || end != text.data() + text.size())
    return fail(EINVAL,
                fmt::format("Expected option value to be integer, got '{}'", excerpt(text)));
  return v;
}

Result<double> parse_real(std::string_view text) {
  double v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (ec != std::errc() || end != text.data() + text.size() || v != v)
    return fail(EINVAL,
                fmt::format("Expected option value to be a float, got '{}'", excerpt(text)));
  return v;
}

Result<OsdId> parse_osd_name(std::string_view text) {
  if (text == "all" || text == "any" || text == "*") return kNoOsd;
  TRY(id, parse_int(text.starts_with("osd.") ? text.substr(4) : text));
  if (id < 0 || id > INT32_MAX) return fail(EINVAL, fmt::format("invalid osd id {}", id));
  return static_cast<OsdId>(id);
}

// ---- Args ---------------------------------------------------------------------------------------

const json::value* Args::find(std::string_view name) const {
  const Param* p = spec_->find(name);
  CHECK_NOTE(p, std::string(name).c_str());
  return present(request_.json, *p) ? request_.json.if_contains(name) : nullptr;
}

bool Args::has(std::string_view name) const {
  return find(name) != nullptr;
}

std::optional<std::string> Args::opt_str(std::string_view name) const {
  const json::value* v = find(name);
  if (!v) return std::nullopt;
  return std::string(v->as_string());
}
std::string Args::str(std::string_view name) const {
  return opt_str(name).value();
}
std::string Args::str_or(std::string_view name, std::string fallback) const {
  return opt_str(name).value_or(std::move(fallback));
}

std::optional<int64_t> Args::opt_int(std::string_view name) const {
  const json::value* v = find(name);
  if (!v) return std::nullopt;
  return *to_int(*spec_->find(name), *v);
}
int64_t Args::integer(std::string_view name) const {
  return opt_int(name).value();
}
int64_t Args::int_or(std::string_view name, int64_t fallback) const {
  return opt_int(name).value_or(fallback);
}

std::optional<double> Args::opt_real(std::string_view name) const {
  const json::value* v = find(name);
  if (!v) return std::nullopt;
  return *to_real(*spec_->find(name), *v);
}
double Args::real(std::string_view name) const {
  return opt_real(name).value();
}
double Args::real_or(std::string_view name, double fallback) const {
  return opt_real(name).value_or(fallback);
}

bool Args::flag(std::string_view name, bool fallback) const {
  const json::value* v = find(name);
  return v ? *to_flag(*spec_->find(name), *v) : fallback;
}

std::vector<std::string> Args::strings(std::string_view name) const {
  std::vector<std::string> out;
  const json::value* v = find(name);
  if (!v) return out;
  if (!v->is_array()) return {std::string(v->as_string())};
  for (const auto& item : v->get_array()) out.emplace_back(item.as_string());
  return out;
}

std::vector<int64_t> Args::ints(std::string_view name) const {
  std::vector<int64_t> out;
  const json::value* v = find(name);
  if (!v) return out;
  const Param& p = *spec_->find(name);
  if (!v->is_array()) return {*to_int(p, *v)};
  for (const auto& item : v->get_array()) out.push_back(*to_int(p, item));
  return out;
}

OsdId Args::osd(std::string_view name) const {
  const json::value* v = find(name);
  CHECK_NOTE(v, std::string(name).c_str());
  return *to_osd(*spec_->find(name), *v);
}

PgId Args::pgid(std::string_view name) const {
  return *PgId::parse(str(name));
}

}  // namespace plimsoll::command
