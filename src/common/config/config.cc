// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/config/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "common/log/log.h"

namespace plimsoll::config {

namespace json = boost::json;

namespace {

constexpr const char* kSourceNames[] = {"default", "mon", "file", "cmdline", "override"};
static_assert(std::size(kSourceNames) == static_cast<size_t>(Source::kCount));

uint64_t number_bits(const Value& v) {
  if (const auto* i = std::get_if<int64_t>(&v)) return static_cast<uint64_t>(*i);
  if (const auto* u = std::get_if<uint64_t>(&v)) return *u;
  if (const auto* d = std::get_if<double>(&v)) return std::bit_cast<uint64_t>(*d);
  return 0;
}

/// As `config diff` and `config help` show values: numbers and truth values bare, the rest quoted.
json::value bare(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::kBool:
      return std::get<int64_t>(value) != 0;
    case Type::kInt:
      return std::get<int64_t>(value);
    case Type::kUint:
      return std::get<uint64_t>(value);
    case Type::kFloat:
      return std::get<double>(value);
    default:
      return json::value(value_text(option, value));
  }
}

json::value bare_limit(const Option& option, const char* text) {
  if (!*text) return "";
  const auto value = parse_value(option, text);
  CHECK(value);
  return bare(option, *value);
}

json::object describe(const Option& option) {
  json::array services;
  for (std::string_view rest = option.services; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (rest.substr(0, comma) != "common")
      services.emplace_back(std::string(rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  json::array flags;
  flags.emplace_back(option.runtime ? "runtime" : "startup");
  json::object out;
  out["name"] = option.name;
  out["type"] = type_name(option.type);
  out["level"] = level_name(option.level);
  out["desc"] = option.help;
  out["long_desc"] = "";
  out["default"] = bare_limit(option, option.fallback);
  out["daemon_default"] = "";
  out["tags"] = json::array();
  out["services"] = std::move(services);
  out["see_also"] = json::array();
  out["min"] = bare_limit(option, option.min);
  out["max"] = bare_limit(option, option.max);
  out["can_update_at_runtime"] = option.runtime;
  out["flags"] = std::move(flags);
  return out;
}

Error no_option(std::string_view name) {
  return fail(ENOENT, fmt::format("unrecognized config option '{}'", name));
}

std::vector<const Option*> by_name() {
  std::vector<const Option*> list;
  for (const auto& o : options()) list.push_back(&o);
  std::ranges::sort(list, {}, [](const Option* o) { return std::string_view(o->name); });
  return list;
}

}  // namespace

Config::Config(Identity who) : who_(std::move(who)) {
  for (const auto& o : options()) {
    auto value = parse_value(o, o.fallback);
    CHECK_NOTE(value, o.name);
    put(o, Source::kDefault, std::move(*value));
  }
}

Uuid Config::fsid_value() const {
  const auto id = Uuid::parse(fsid());
  return id ? *id : Uuid{};
}

const Value& Config::final_value(Opt id) const {
  const Slot& slot = slots_[static_cast<size_t>(id)];
  for (size_t s = slot.size() - 1; s > 0; s--)
    if (slot[s]) return *slot[s];
  return *slot[0];
}

void Config::put(const Option& option, Source source, std::optional<Value> value) {
  auto& place = slots_[static_cast<size_t>(option.id)][static_cast<size_t>(source)];
  const bool first = source == Source::kDefault;
  const Value before = first ? Value() : final_value(option.id);
  place = std::move(value);
  const Value& after = final_value(option.id);
  numbers_[static_cast<size_t>(option.id)].store(number_bits(after), std::memory_order_relaxed);
  if (first || before == after) return;

  // An observer may add and remove observers, so the list is copied before any is called.
  std::vector<std::function<void()>> calls;
  for (const auto& [id, watch] : observers_)
    if (std::ranges::find(watch.options, option.id) != watch.options.end())
      calls.push_back(watch.changed);
  for (const auto& call : calls) call();
}

Result<> Config::apply_file(const ConfFile& file) {
  const std::string sections[] = {"global", who_.type, who_.name()};
  for (const auto& section : sections) {
    for (const auto& line : file.lines) {
      if (line.section != section) continue;
      const Option* o = find_option(line.key);
      if (!o) {
        warnings_.push_back(
            fmt::format("{}:{}: unknown option '{}' is ignored", file.path, line.line, line.key));
        continue;
      }
      auto value = parse_value(*o, line.value);
      if (!value)
        return fail(EINVAL, fmt::format("{}:{}: {} = '{}': {}", file.path, line.line, line.key,
                                        line.value, value.error().text()));
      put(*o, Source::kFile, std::move(*value));
    }
  }
  return {};
}

void Config::apply_mon(const std::map<std::string, std::string>& values) {
  const Logger log(log::Subsystem::kConfig, who_.name());
  std::array<std::optional<Value>, kOptionCount> wanted;
  for (const auto& [name, text] : values) {
    const Option* o = find_option(name);
    if (!o) {
      log.debug(5, "option '{}' of the config database is unknown here", name);
      continue;
    }
    auto value = parse_value(*o, text);
    if (value)
      wanted[static_cast<size_t>(o->id)] = std::move(*value);
    else
      log.warn("option of the config database skipped: {} = '{}': {}", name, text,
               value.error().text());
  }
  for (const auto& o : options())
    put(o, Source::kMon, std::move(wanted[static_cast<size_t>(o.id)]));
}

Result<> Config::set(std::string_view name, std::string_view value, Source source) {
  const Option* o = find_option(name);
  if (!o) return no_option(name);
  if (source == Source::kOverride && !o->runtime)
    return fail(ENOSYS,
                fmt::format("Configuration option '{}' may not be modified at runtime", o->name));
  TRY(parsed, parse_value(*o, value));
  put(*o, source, std::move(parsed));
  return {};
}

Result<> Config::unset(std::string_view name, Source source) {
  const Option* o = find_option(name);
  if (!o) return no_option(name);
  CHECK(source != Source::kDefault);
  put(*o, source, std::nullopt);
  return {};
}

std::string Config::text(Opt id) const {
  return expand(std::get<std::string>(final_value(id)));
}

std::string Config::final_text(const Option& option) const {
  return expand(value_text(option, final_value(option.id)));
}

Result<std::string> Config::get(std::string_view name) const {
  const Option* o = find_option(name);
  if (!o) return no_option(name);
  return final_text(*o);
}

json::object Config::show() const {
  json::object out;
  out["name"] = who_.name();
  out["cluster"] = who_.cluster;
  for (const Option* o : by_name()) out[o->name] = final_text(*o);
  return out;
}

bool Config::differs(const Option& option) const {
  const Slot& slot = slots_[static_cast<size_t>(option.id)];
  return std::any_of(slot.begin() + 1, slot.end(), [](const auto& v) { return v.has_value(); });
}

json::object Config::diff_of(const Option& option) const {
  const Slot& slot = slots_[static_cast<size_t>(option.id)];
  json::object out;
  for (size_t s = 0; s < slot.size(); s++)
    if (slot[s]) out[kSourceNames[s]] = bare(option, *slot[s]);
  json::value final = bare(option, final_value(option.id));
  if (final.is_string()) final = expand(std::string(final.get_string()));
  out["final"] = std::move(final);
  return out;
}

json::object Config::diff() const {
  json::object all;
  for (const Option* o : by_name())
    if (differs(*o)) all[o->name] = diff_of(*o);
  json::object out;
  out["diff"] = std::move(all);
  return out;
}

Result<json::object> Config::diff_get(std::string_view name) const {
  const Option* o = find_option(name);
  if (!o) return no_option(name);
  json::object one;
  one[o->name] = diff_of(*o);
  json::object out;
  out["diff"] = std::move(one);
  return out;
}

Result<json::object> Config::help(std::string_view name) const {
  json::object out;
  if (!name.empty()) {
    const Option* o = find_option(name);
    if (!o) return no_option(name);
    out["option"] = describe(*o);
    return out;
  }
  json::array all;
  for (const Option* o : by_name()) all.push_back(describe(*o));
  out["options"] = std::move(all);
  return out;
}

Config::Observer& Config::Observer::operator=(Observer&& o) noexcept {
  std::swap(config_, o.config_);
  std::swap(id_, o.id_);
  return *this;
}

Config::Observer::~Observer() {
  if (config_) config_->observers_.erase(id_);
}

Config::Observer Config::observe(std::vector<Opt> options, std::function<void()> changed) {
  const uint64_t id = next_observer_++;
  observers_.emplace(id, Watch{std::move(options), std::move(changed)});
  return Observer(this, id);
}

std::string Config::expand(std::string text) const {
  // Each round replaces what is there; options may name options, so rounds are bounded.
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds && text.find('$') != text.npos; round++) {
    std::string out;
    bool changed = false;
    for (size_t i = 0; i < text.size();) {
      if (text[i] != '$') {
        out += text[i++];
        continue;
      }
      size_t from = i + 1;
      const bool braces = from < text.size() && text[from] == '{';
      from += braces;
      size_t to = from;
      while (to < text.size() &&
             (std::isalnum(static_cast<unsigned char>(text[to])) || text[to] == '_'))
        to++;
      const std::string name = text.substr(from, to - from);
      const size_t next = to + (braces && to < text.size() && text[to] == '}');
      std::optional<std::string> value;
      if (name == "name")
        value = who_.name();
      else if (name == "type")
        value = who_.type;
      else if (name == "id")
        value = who_.id;
      else if (name == "cluster")
        value = who_.cluster;
      else if (name == "host")
        value = who_.host;
      else if (name == "pid")
        value = fmt::to_string(pid_);
      else if (const Option* o = find_option(name))
        value = value_text(*o, final_value(o->id));
      if (value) {
        out += *value;
        changed = true;
      } else {
        out += text.substr(i, next - i);
      }
      i = next;
    }
    text = std::move(out);
    if (!changed) break;
    // A value that names itself would grow with each round.
    if (text.size() > 4096) break;
  }
  return text;
}

}  // namespace plimsoll::config
