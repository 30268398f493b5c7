// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/config_service.h"

#include <algorithm>
#include <array>

#include "common/command/args.h"

namespace plimsoll::mon {
namespace {

constexpr char kConfig[] = "config/";
constexpr char kHistory[] = "config-history/";
constexpr std::array kTypes = {"global", "mon", "mgr", "osd", "mds", "client"};

bool has_prefix(const std::string& s, std::string_view prefix) {
  return s.compare(0, prefix.size(), prefix) == 0;
}

std::string history_key(uint64_t version) {
  return kHistory + std::to_string(version) + "/";
}

/// Sections by how much they say: global, a type, one daemon.
int rank(const std::string& section) {
  if (section == "global") return 0;
  return section.find('.') == std::string::npos ? 1 : 2;
}

std::string value_of(const Bytes& stamp_and_message, Utime& stamp) {
  ByteReader r(stamp_and_message);
  wire::decode(stamp, r);
  return r.str();
}

}  // namespace

Result<> ConfigService::check(const std::string& name, const std::string& value, bool force) {
  const config::Option* option = config::find_option(name);
  if (!option) {
    if (force) return {};
    return fail(EINVAL, "unrecognized config option '" + name + "'");
  }
  const Result<config::Value> parsed = config::parse_value(*option, value);
  if (!parsed && !force) return fail(EINVAL, "error parsing value: " + parsed.error().text());
  return {};
}

Result<> ConfigService::check_section(const std::string& section) {
  const std::string type = section.substr(0, section.find('.'));
  const bool known = std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
  const bool bad_id = section.find('.') != std::string::npos &&
                      (type == "global" || type.size() + 1 == section.size());
  if (known && !bad_id && section.find('/') == std::string::npos) return {};
  return fail(EINVAL, "unrecognized config target '" + section + "'");
}

std::vector<ConfigService::Entry> ConfigService::entries() const {
  std::vector<Entry> out;
  const auto& all = keys_.all();
  for (auto it = all.lower_bound(kConfig); it != all.end() && has_prefix(it->first, kConfig);
       ++it) {
    const std::string rest = it->first.substr(sizeof kConfig - 1);
    const size_t slash = rest.rfind('/');
    if (slash == std::string::npos) continue;
    out.push_back({rest.substr(0, slash), rest.substr(slash + 1), it->second});
  }
  const auto earlier = [](const Entry& a, const Entry& b) {
    return std::make_tuple(rank(a.section) > 0, a.section, a.name) <
           std::make_tuple(rank(b.section) > 0, b.section, b.name);
  };
  std::stable_sort(out.begin(), out.end(), earlier);
  return out;
}

std::map<std::string, ConfigService::Entry> ConfigService::effective(
    const std::string& entity) const {
  const std::string type = entity.substr(0, entity.find('.'));
  std::map<std::string, Entry> out;
  for (Entry& e : entries()) {
    if (e.section != "global" && e.section != type && e.section != entity) continue;
    const auto it = out.find(e.name);
    if (it == out.end() || rank(it->second.section) <= rank(e.section)) {
      std::string name = e.name;
      out[std::move(name)] = std::move(e);
    }
  }
  return out;
}

Task<Result<>> ConfigService::set(std::string section, std::string name, std::string value) {
  std::vector<Entry> one;
  one.push_back({std::move(section), std::move(name), std::move(value)});
  co_return co_await set_many(std::move(one), "");
}

Task<Result<>> ConfigService::set_many(std::vector<Entry> entries, std::string message) {
  std::vector<Difference> changes;
  for (Entry& e : entries) {
    e.name = config::normal_name(e.name);
    const std::string* before = keys_.find(kConfig + e.section + "/" + e.name);
    if (before && *before == e.value) continue;
    changes.push_back(
        {e.section, e.name, before ? std::optional<std::string>(*before) : std::nullopt, e.value});
  }
  co_return co_await apply(std::move(changes), std::move(message));
}

Task<Result<>> ConfigService::remove(std::string section, std::string name) {
  name = config::normal_name(name);
  const std::string* before = keys_.find(kConfig + section + "/" + name);
  std::vector<Difference> changes;
  if (before) changes.push_back({section, name, *before, std::nullopt});
  co_return co_await apply(std::move(changes), "");
}

Task<Result<>> ConfigService::apply(std::vector<Difference> changes, std::string message) {
  if (changes.empty()) co_return Result<>();
  std::vector<KeyService::Change> keys;
  const std::string history = history_key(newest_version() + 1);
  ByteWriter w;
  wire::encode(clock_.wall(), w);
  w.blob(message);
  keys.emplace_back(history, w.take_string());
  for (const Difference& d : changes) {
    const std::string path = d.section + "/" + d.name;
    keys.emplace_back(kConfig + path, d.after);
    if (d.before) keys.emplace_back(history + "-" + path, d.before);
    if (d.after) keys.emplace_back(history + "+" + path, d.after);
  }
  CO_TRY_VOID(co_await keys_.change(std::move(keys)));
  if (on_change) on_change();
  co_return Result<>();
}

// ---- history
// --------------------------------------------------------------------------------------

std::vector<uint64_t> ConfigService::versions() const {
  std::vector<uint64_t> out;
  const auto& all = keys_.all();
  for (auto it = all.lower_bound(kHistory); it != all.end() && has_prefix(it->first, kHistory);
       ++it) {
    const std::string rest = it->first.substr(sizeof kHistory - 1);
    const Result<int64_t> version = command::parse_int(rest.substr(0, rest.find('/')));
    if (version && rest.back() == '/') out.push_back(static_cast<uint64_t>(*version));
  }
  std::sort(out.begin(), out.end());
  return out;
}

uint64_t ConfigService::newest_version() const {
  const std::vector<uint64_t> all = versions();
  return all.empty() ? 1 : all.back();
}

ConfigService::HistoryItem ConfigService::history_item(uint64_t version) const {
  HistoryItem item;
  item.version = version;
  const std::string prefix = history_key(version);
  std::map<std::string, Difference> changes;
  const auto& all = keys_.all();
  for (auto it = all.lower_bound(prefix); it != all.end() && has_prefix(it->first, prefix); ++it) {
    const std::string rest = it->first.substr(prefix.size());
    if (rest.empty()) {
      item.message = value_of(Bytes::copy(it->second), item.stamp);
      continue;
    }
    Difference& d = changes[rest.substr(1)];
    const size_t slash = rest.rfind('/');
    d.section = rest.substr(1, slash - 1);
    d.name = rest.substr(slash + 1);
    (rest[0] == '-' ? d.before : d.after) = it->second;
  }
  for (auto& [_, d] : changes) item.changes.push_back(std::move(d));
  return item;
}

std::vector<ConfigService::HistoryItem> ConfigService::history(size_t limit) const {
  std::vector<uint64_t> all = versions();
  all.insert(all.begin(), 1);
  std::vector<HistoryItem> out;
  for (auto it = all.rbegin(); it != all.rend() && out.size() < limit; ++it)
    out.push_back(history_item(*it));
  return out;
}

Task<Result<>> ConfigService::reset(uint64_t version) {
  const std::vector<uint64_t> all = versions();
  if (version != 1 && std::find(all.begin(), all.end(), version) == all.end())
    co_return fail(ENOENT, "no config version " + std::to_string(version));
  std::map<std::pair<std::string, std::string>, std::optional<std::string>> wanted;
  for (auto it = all.rbegin(); it != all.rend() && *it > version; ++it)
    for (const Difference& d : history_item(*it).changes) wanted[{d.section, d.name}] = d.before;
  std::vector<Difference> changes;
  for (const auto& [where, value] : wanted) {
    const std::string* now = keys_.find(kConfig + where.first + "/" + where.second);
    const auto before = now ? std::optional<std::string>(*now) : std::nullopt;
    if (before != value) changes.push_back({where.first, where.second, before, value});
  }
  co_return co_await apply(std::move(changes), "reset to " + std::to_string(version));
}

}  // namespace plimsoll::mon
