// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/mkfs.h"

#include <fmt/format.h>

#include "common/map/osd_map_dump.h"
#include "mon/consensus/single_log.h"
#include "mon/osd_map_store.h"
#include "mon/services.h"

namespace plimsoll::mon {
namespace {

constexpr uint16_t kDefaultPort = 3300;

std::vector<std::string> split(const std::string& text, const char* separators) {
  std::vector<std::string> out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// msgr2 addresses of a list such as "[v2:a:1,v1:a:2] b:3".
Result<std::vector<EntityAddr>> parse_addrs(const std::string& text) {
  std::vector<EntityAddr> out;
  for (const std::string& word : split(text, " ,;[]")) {
    if (word.compare(0, 3, "v1:") == 0) continue;
    Result<EntityAddr> addr = EntityAddr::parse(word);
    if (!addr) addr = EntityAddr::parse(word + ":" + std::to_string(kDefaultPort));
    if (!addr) return fail(EINVAL, "'" + word + "' is no address");
    addr->type = EntityAddr::kMsgr2;
    addr->nonce = 0;
    if (!addr->port) addr->port = kDefaultPort;
    out.push_back(*addr);
  }
  return out;
}

Uuid random_uuid(Rng& rng) {
  Uuid id;
  for (auto& b : id.bytes) b = static_cast<uint8_t>(rng.next() >> 32);
  id.bytes[6] = static_cast<uint8_t>((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = static_cast<uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  return id;
}

Task<Result<>> write_first_state(Runtime& runtime, const config::Config& config, Kv& kv,
                                 Uuid fsid) {
  const Utime now = runtime.clock().wall();
  CO_TRY(monmap, first_monmap(config, fsid, now));
  KvBatch batch;
  batch.put(kMonMapKey, wire::to_bytes(monmap).to_string());
  OsdMapStore::put_first(first_osdmap(config, fsid, now), batch);
  SingleLog log(runtime.executor(), kv);
  CO_TRY_VOID(co_await log.start());
  Result<Version> written = co_await log.propose(std::move(batch));
  co_await log.stop();
  if (!written) co_return written.error();
  co_return Result<>();
}

}  // namespace

KvOptions store_options(bool create) {
  KvOptions o;
  o.create = create;
  o.memtable_bytes = 1 << 20;
  o.cache_bytes = 2 << 20;
  return o;
}

Result<map::MonMap> first_monmap(const config::Config& config, Uuid fsid, Utime now) {
  map::MonMap m;
  m.fsid = fsid;
  m.epoch = 1;
  m.created = m.last_changed = now;
  const std::string id = config.who().id;
  TRY(hosts, parse_addrs(config.mon_host()));
  TRY(own, parse_addrs(config.public_addr()));
  std::vector<std::string> names = split(config.mon_initial_members(), " ,;");
  if (names.empty()) names.push_back(id);
  if (hosts.empty()) hosts = own;
  if (hosts.empty()) return fail(EINVAL, "the conf names no address: set mon_host or public_addr");
  if (hosts.size() < names.size())
    return fail(EINVAL, "mon_host has fewer addresses than mon_initial_members has names");
  for (size_t i = 0; i < names.size(); i++) TRY_VOID(m.add(names[i], EntityAddrVec(hosts[i])));
  if (m.rank_of(id) < 0) return fail(EINVAL, "mon." + id + " is not among mon_initial_members");
  return m;
}

map::OSDMap first_osdmap(const config::Config& config, Uuid fsid, Utime now) {
  map::OSDMap m;
  m.fsid = fsid;
  m.epoch = 1;
  m.created = m.modified = now;
  const auto names = map::CrushMap::empty().type_names;
  const auto type = names.find(static_cast<int32_t>(config.osd_crush_chooseleaf_type()));
  m.crush = map::SharedCrush(map::CrushMap::initial(type == names.end() ? "host" : type->second));
  m.nearfull_ratio = static_cast<float>(config.mon_osd_nearfull_ratio());
  m.backfillfull_ratio = static_cast<float>(config.mon_osd_backfillfull_ratio());
  m.full_ratio = static_cast<float>(config.mon_osd_full_ratio());
  const uint8_t oldest = map::release_from(config.mon_osd_initial_require_min_compat_client());
  if (oldest) m.require_min_compat_client = oldest;
  m.erasure_code_profiles["default"] = {
      {"k", "2"}, {"m", "2"}, {"plugin", "jerasure"}, {"technique", "reed_sol_van"}};
  return m;
}

Task<Result<>> mkfs(Runtime& runtime, config::Config& config) {
  const std::string data = config.mon_data();
  if (runtime.read_file(data + "/fsid")) co_return fail(EEXIST, data + " already holds a monitor");
  CO_TRY_VOID(runtime.make_dirs(data));
  Uuid fsid = config.fsid_value();
  if (fsid.is_zero()) fsid = random_uuid(runtime.rng());
  const std::string store = data + "/store.db";
  CO_TRY(kv, co_await runtime.open_kv(store, store_options(true)));
  const Result<> written = co_await write_first_state(runtime, config, *kv, fsid);
  co_await kv->close();
  CO_TRY_VOID(written);
  // Last, since it says that the rest is complete.
  co_return runtime.write_file(data + "/fsid", fsid.to_string() + "\n");
}

}  // namespace plimsoll::mon
