// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/config/arguments.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::config {

namespace {

/// Walks argv; value() takes "--name=value" or the next argument.
class Cursor {
 public:
  explicit Cursor(const std::vector<std::string>& args) : args_(args) {}
  bool next() {
    if (at_ >= args_.size()) return false;
    name_ = args_[at_++];
    value_.reset();
    if (const size_t equals = name_.find('='); name_.starts_with("--") && equals != name_.npos) {
      value_ = name_.substr(equals + 1);
      name_.resize(equals);
    }
    return true;
  }
  bool is(std::initializer_list<std::string_view> names) const {
    return std::ranges::find(names, name_) != names.end();
  }
  const std::string& name() const { return name_; }
  bool has_value() const { return value_.has_value(); }
  Result<std::string> value() {
    if (value_) return *std::exchange(value_, std::nullopt);
    if (at_ >= args_.size()) return fail(EINVAL, fmt::format("option {} needs a value", name_));
    return args_[at_++];
  }
  /// The value of a bool, which may be left out.
  std::string bool_value() {
    if (value_) return *value_;
    if (at_ < args_.size() && (args_[at_] == "true" || args_[at_] == "false")) return args_[at_++];
    return "true";
  }
  std::vector<std::string> take_rest() {
    std::vector<std::string> rest(args_.begin() + static_cast<ptrdiff_t>(at_), args_.end());
    at_ = args_.size();
    return rest;
  }

 private:
  const std::vector<std::string>& args_;
  size_t at_ = 0;
  std::string name_;
  std::optional<std::string> value_;
};

Result<> parse_table_option(Cursor& c, Arguments& out) {
  const std::string name = normal_name(std::string_view(c.name()).substr(2));
  const Option* o = find_option(name);
  if (!o && name.starts_with("no_")) {
    o = find_option(name.substr(3));
    if (o && o->type == Type::kBool && !c.has_value()) {
      out.options.emplace_back(o->name, "false");
      return {};
    }
    o = nullptr;
  }
  if (!o) return fail(EINVAL, fmt::format("unknown option {}", c.name()));
  if (o->type == Type::kBool) {
    out.options.emplace_back(o->name, c.bool_value());
    return {};
  }
  TRY(value, c.value());
  out.options.emplace_back(o->name, std::move(value));
  return {};
}

Result<> parse_one(Cursor& c, const std::vector<ProgramFlag>& flags, Arguments& out) {
  auto into = [&c](std::string& place) -> Result<> {
    TRY(value, c.value());
    place = std::move(value);
    return {};
  };
  if (c.is({"-c", "--conf"})) return into(out.conf);
  if (c.is({"-i", "--id"})) return into(out.id);
  if (c.is({"--cluster"})) return into(out.cluster);
  if (c.is({"-n", "--name"})) {
    TRY_VOID(into(out.id));
    const size_t dot = out.id.find('.');
    if (dot == out.id.npos)
      return fail(EINVAL, fmt::format("'{}' is not a name: expected type.id", out.id));
    out.id.erase(0, dot + 1);
    return {};
  }
  if (c.is({"-m"})) {
    out.options.emplace_back("mon_host", "");
    return into(out.options.back().second);
  }
  if (c.is({"-f", "--foreground"}))
    out.foreground = true;
  else if (c.is({"-d"})) {
    out.foreground = true;
    out.options.emplace_back("log_to_stderr", "true");
  } else if (c.is({"-v", "--version"}))
    out.version = true;
  else if (c.is({"-h", "--help"}))
    out.help = true;
  else {
    const std::string plain = normal_name(c.name().substr(std::min<size_t>(2, c.name().size())));
    const auto flag =
        std::ranges::find_if(flags, [&](const auto& f) { return normal_name(f.name) == plain; });
    if (flag != flags.end()) {
      if (flag->value.empty()) out.flags.emplace_back(flag->name, "");
      else
        for (auto words = std::ranges::count(flag->value, ' ') + 1; words > 0; words--) {
          TRY(value, c.value());
          out.flags.emplace_back(flag->name, std::move(value));
        }
      return {};
    }
    return parse_table_option(c, out);
  }
  return {};
}

}  // namespace

bool Arguments::has_flag(std::string_view name) const {
  return std::ranges::any_of(flags, [&](const auto& f) { return f.first == name; });
}

std::string Arguments::flag(std::string_view name) const {
  std::string value;
  for (const auto& [n, v] : flags)
    if (n == name) value = v;
  return value;
}

std::vector<std::string> Arguments::flag_values(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [n, v] : flags)
    if (n == name) values.push_back(v);
  return values;
}

Result<Arguments> parse_arguments(const std::vector<std::string>& args,
                                  const std::vector<ProgramFlag>& flags) {
  Arguments out;
  Cursor c(args);
  while (c.next()) {
    if (c.name() == "--") {
      for (auto& a : c.take_rest()) out.rest.push_back(std::move(a));
    } else if (c.name().size() > 1 && c.name().starts_with("-")) {
      if (!c.name().starts_with("--") && c.name().size() != 2)
        return fail(EINVAL, fmt::format("unknown option {}", c.name()));
      TRY_VOID(parse_one(c, flags, out));
    } else {
      out.rest.push_back(c.name());
    }
  }
  return out;
}

Result<> apply_arguments(Config& config, const Arguments& arguments) {
  for (const auto& [name, value] : arguments.options) {
    const auto set = config.set(name, value, Source::kCommandLine);
    if (!set) return fail(EINVAL, fmt::format("--{} {}: {}", name, value, set.error().text()));
  }
  return {};
}

std::string usage(const std::string& program, const std::string& service,
                  const std::vector<ProgramFlag>& flags) {
  std::string out = fmt::format(
      "usage: {} -i <id> [-c ceph.conf] [flags] [--option value ...]\n\n"
      "  -c, --conf <file>     conf file (default /etc/ceph/ceph.conf)\n"
      "  -i, --id <id>         id of this daemon, as in {}.<id>\n"
      "  -n, --name <name>     the same with its type\n"
      "  -m <addresses>        monitors to find the cluster by (mon_host)\n"
      "  -f, --foreground      stay in the foreground\n"
      "  -d                    the same, log to stderr\n"
      "  -v, --version\n"
      "  -h, --help\n",
      program, service);
  for (const auto& f : flags) {
    const std::string left =
        f.value.empty() ? "--" + f.name : fmt::format("--{} <{}>", f.name, f.value);
    out += fmt::format("  {:<21} {}\n", left, f.help);
  }
  out += "\nOptions, also in the conf file:\n";
  for (const auto& o : options()) {
    const std::string_view services = o.services;
    if (services != "common" && services.find(service) == services.npos) continue;
    out += fmt::format("  --{} <{}> [{}]\n        {}\n", o.name, type_name(o.type), o.fallback,
                       o.help);
  }
  return out;
}

}  // namespace plimsoll::config
