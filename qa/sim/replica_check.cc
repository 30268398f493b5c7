// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/replica_check.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "osd/store/dump.h"
#include "osd/store/fsck.h"

namespace plimsoll::sim {

namespace {

namespace json = boost::json;

Task<void> check_and_dump(Runtime& runtime, std::string path, json::value& out,
                          std::vector<std::string>& wrong) {
  auto report = co_await osd::fsck(runtime, path);
  if (!report) wrong.push_back("fsck of " + path + ": " + report.error().to_string());
  else for (const auto& finding : report->findings) wrong.push_back("fsck: " + finding);
  auto shown = co_await osd::dump(runtime, path, std::nullopt);
  if (shown) out = std::move(*shown);
  else wrong.push_back("dump of " + path + ": " + shown.error().to_string());
}

std::string text_of(const json::object& o, const char* key) {
  const json::value* v = o.if_contains(key);
  return v ? json::serialize(*v) : "-";
}

/// What identifies an object, and what must be the same everywhere.
std::pair<std::string, std::string> digest(const json::object& o) {
  std::string name, content;
  for (const char* key : {"namespace", "key", "name", "snap"}) name += text_of(o, key) + " ";
  for (const char* key : {"size", "data_crc", "attrs_crc", "error"})
    content += text_of(o, key) + " ";
  if (const json::value* omap = o.if_contains("omap")) {
    for (const char* key : {"keys", "crc"}) content += text_of(omap->as_object(), key) + " ";
    if (const json::value* header = omap->as_object().if_contains("header"))
      content += text_of(header->as_object(), "crc");
  }
  return {name, content};
}

}  // namespace

CopyOfStore read_store(World& world, Host& host, const std::string& path,
                       std::vector<std::string>& wrong) {
  SimRuntime& runtime = host.boot();
  json::value shown;
  world.run(host, check_and_dump(runtime, path, shown, wrong));
  host.shut_down();
  CopyOfStore out;
  if (!shown.is_object()) return out;
  for (const auto& collection : shown.at("collections").as_array()) {
    CopyOfPg& pg = out[std::string(collection.at("pgid").as_string())];
    for (const auto& object : collection.at("objects").as_array())
      pg.objects.insert(digest(object.as_object()));
    for (const auto& [key, value] : collection.at("meta").as_object())
      if (key.starts_with("log.")) pg.log[key] = json::serialize(value);
  }
  return out;
}

namespace {

using Copies = std::map<OsdId, const CopyOfPg*>;

void compare_objects(PgId pg, const Copies& copies, std::vector<std::string>& wrong) {
  std::map<std::string, std::map<OsdId, std::string>> objects;
  for (const auto& [osd, copy] : copies)
    for (const auto& [name, content] : copy->objects) objects[name][osd] = content;
  for (const auto& [name, contents] : objects) {
    bool same = contents.size() == copies.size();
    std::string text;
    for (const auto& [osd, content] : contents) {
      same = same && content == contents.begin()->second;
      text += fmt::format(" osd.{}: {}", osd, content);
    }
    if (same) continue;
    wrong.push_back(fmt::format("replicas of {} {}differ:{}", pg.to_string(), name, text));
  }
}

void compare_logs(PgId pg, const Copies& copies, std::vector<std::string>& wrong) {
  std::string since;
  for (const auto& [osd, copy] : copies)
    if (!copy->log.empty()) since = std::max(since, copy->log.begin()->first);
  std::map<std::string, std::map<OsdId, std::string>> entries;
  for (const auto& [osd, copy] : copies)
    for (auto it = copy->log.lower_bound(since); it != copy->log.end(); ++it)
      entries[it->first][osd] = it->second;
  for (const auto& [entry, contents] : entries) {
    bool same = contents.size() == copies.size();
    std::string text;
    for (const auto& [osd, content] : contents) {
      same = same && content == contents.begin()->second;
      text += fmt::format(" osd.{}", osd);
    }
    if (same) continue;
    wrong.push_back(
        fmt::format("logs of {} differ at {}, which have{}", pg.to_string(), entry, text));
    return;
  }
}

}  // namespace

std::vector<std::string> compare_replicas(const map::OSDMap& map, PoolId pool,
                                          const std::map<OsdId, CopyOfStore>& stores) {
  std::vector<std::string> wrong;
  for (const PgId pg : map.all_pgs()) {
    if (pg.pool != pool) continue;
    const auto members = map.map_pg(pg).acting;
    Copies copies;
    for (const OsdId osd : members) {
      const auto& store = stores.at(osd);
      const auto copy = store.find(pg.to_string());
      if (copy != store.end()) copies[osd] = &copy->second;
      else wrong.push_back(fmt::format("osd.{} has no pg {}", osd, pg.to_string()));
    }
    compare_objects(pg, copies, wrong);
    compare_logs(pg, copies, wrong);
  }
  return wrong;
}

}  // namespace plimsoll::sim
