// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/osd_map_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "common/map/osd_map_dump.h"

namespace plimsoll::mover {

namespace json = boost::json;

namespace {

constexpr uint32_t kMaxPgNum = 1 << 20;
constexpr size_t kMaxItems = 64;

/// A ratio or weight that Ceph keeps as 16.16.
uint32_t read_fixed(JsonReader& in) {
  double v = 0;
  in.read(v);
  if (v < 0 || v > 1) in.fail(fmt::format("is {}, not in [0, 1]", v));
  return in.ok() ? static_cast<uint32_t>(std::lround(v * map::kOsdIn)) : 0;
}

float read_ratio(JsonReader& in) {
  double v = 0;
  in.read(v);
  if (v < 0 || v > 1) in.fail(fmt::format("is {}, not in [0, 1]", v));
  return static_cast<float>(v);
}

OsdId read_osd_id(JsonReader& in) {
  OsdId osd = kNoOsd;
  in.read(osd);
  if (in.ok() && osd != kOsdNone && (osd < -1 || osd >= map::kMaxOsds))
    in.fail(fmt::format("{} is no OSD id", osd));
  return osd;
}

uint8_t read_release(JsonReader& in) {
  std::string name;
  in.read(name);
  const uint8_t release = map::release_from(name);
  if (in.ok() && !release && name != "unknown")
    in.fail(fmt::format("'{}' is a release that this program does not know", name));
  return release;
}

uint32_t state_from(std::string_view name) {
  for (uint32_t bit = 1; bit <= map::kOsdStop; bit <<= 1)
    if (map::osd_state_names(bit) == std::vector<std::string>{std::string(name)}) return bit;
  return 0;
}

// ---- pools --------------------------------------------------------------------------------------

uint32_t read_pg_num(JsonReader& in) {
  uint32_t n = 0;
  in.read(n);
  if (n > kMaxPgNum) in.fail(fmt::format("is {}, at most {} are possible", n, kMaxPgNum));
  return n;
}

/// Targets are absent before Nautilus.
void read_pool(JsonReader& in, map::OSDMap& m) {
  PoolId id = -1;
  std::string name;
  map::PgPool pool;
  std::optional<uint32_t> pg_num, pgp_num, pg_target, pgp_target, pg_pending;
  auto number = [&](auto& into) { return [&] { into = read_pg_num(in); }; };
  in.members("pool", id, "pool_name", name, "flags", pool.flags, "type", pool.type, "size",
             pool.size, "min_size", pool.min_size, "crush_rule", pool.crush_rule, "object_hash",
             pool.object_hash, "stripe_width", pool.stripe_width, "erasure_code_profile",
             pool.erasure_code_profile, "pg_num", number(pg_num), "pg_placement_num",
             number(pgp_num), "pg_num_target", number(pg_target), "pg_placement_num_target",
             number(pgp_target), "pg_num_pending", number(pg_pending));
  if (!in.ok()) return;
  if (id < 0) return in.fail("the pool has no id");
  if (m.pools.count(id)) return in.fail(fmt::format("pool {} is there twice", id));
  if (!pool.is_replicated() && !pool.is_erasure())
    return in.fail(fmt::format("pool {} has the unknown type {}", id, pool.type));
  if (!pg_num || *pg_num == 0) return in.fail(fmt::format("pool {} has no pg_num", id));
  if (pool.size == 0) return in.fail(fmt::format("pool {} has no size", id));
  pool.pg_num = *pg_num;
  pool.pgp_num = pgp_num.value_or(pool.pg_num);
  pool.pg_num_target = pg_target.value_or(pool.pg_num);
  pool.pgp_num_target = pgp_target.value_or(pool.pgp_num);
  pool.pg_num_pending = pg_pending.value_or(pool.pg_num);
  m.pool_max = std::max(m.pool_max, static_cast<int32_t>(id));
  m.pool_names[id] = std::move(name);
  m.pools[id] = std::move(pool);
}

// ---- OSDs ---------------------------------------------------------------------------------------

struct OsdInput {
  OsdId id = kNoOsd;
  bool up = false, in = false;
  uint32_t weight = 0, affinity = map::kDefaultAffinity, state = 0;
  Uuid uuid;
};

void read_osd(JsonReader& in, std::vector<OsdInput>& osds) {
  OsdInput o;
  std::string name;
  auto states = [&] {
    in.array([&] {
      in.read(name);
      o.state |= state_from(name);
    });
  };
  in.members(
      "osd", [&] { o.id = read_osd_id(in); }, "up", o.up, "in", o.in, "uuid", o.uuid, "weight",
      [&] { o.weight = read_fixed(in); }, "primary_affinity", [&] { o.affinity = read_fixed(in); },
      "state", states);
  if (!in.ok()) return;
  if (o.id < 0 || o.id == kOsdNone) return in.fail("the OSD has no id");
  // A list of OSDs holds those that exist.
  o.state |= map::kOsdExists | (o.up ? map::kOsdUp : 0);
  osds.push_back(o);
}

void place_osds(JsonReader& in, map::OSDMap& m, int32_t max_osd,
                const std::vector<OsdInput>& osds) {
  if (!in.ok()) return;
  for (const auto& o : osds)
    if (o.id >= max_osd) return in.fail(fmt::format("osd.{} is beyond max_osd {}", o.id, max_osd));
  m.set_max_osd(max_osd);
  for (const auto& o : osds) {
    m.osd_state[o.id] = o.state;
    m.osd_weight[o.id] = o.weight;
    m.osd_uuid[o.id] = o.uuid;
    if (o.affinity == map::kDefaultAffinity && m.osd_primary_affinity.empty()) continue;
    m.osd_primary_affinity.resize(max_osd, map::kDefaultAffinity);
    m.osd_primary_affinity[o.id] = o.affinity;
  }
}

// ---- PGs ----------------------------------------------------------------------------------------

void read_pg_osds(JsonReader& in, std::map<PgId, std::vector<OsdId>>& out) {
  in.array([&] {
    PgId pg;
    std::vector<OsdId> osds;
    auto read_osds = [&] {
      in.array([&] {
        osds.push_back(read_osd_id(in));
        if (osds.size() > kMaxItems) in.fail("names too many OSDs");
      });
    };
    in.members("pgid", pg, "osds", read_osds);
    if (in.ok()) out[pg] = std::move(osds);
  });
}

void read_upmap_items(JsonReader& in, map::OSDMap& m) {
  in.array([&] {
    PgId pg;
    map::UpmapItems items;
    auto read_pair = [&] {
      auto& [from, to] = items.emplace_back(kNoOsd, kNoOsd);
      in.members(
          "from", [&] { from = read_osd_id(in); }, "to", [&] { to = read_osd_id(in); });
      if (items.size() > kMaxItems) in.fail("has too many pairs");
    };
    in.members("pgid", pg, "mappings", [&] { in.array(read_pair); });
    if (in.ok()) m.pg_upmap_items[pg] = std::move(items);
  });
}

/// PG and OSD in turn, as Ceph prints it.
void read_primary_temp(JsonReader& in, map::OSDMap& m) {
  PgId pg;
  in.array([&] {
    if (in.next_is('"'))
      in.read(pg);
    else if (in.next_is('{'))
      in.skip();
    else
      m.primary_temp[pg] = read_osd_id(in);
  });
}

void read_profiles(JsonReader& in, map::OSDMap& m) {
  in.object([&](std::string_view name) {
    auto& profile = m.erasure_code_profiles[std::string(name)];
    in.object([&](std::string_view key) { in.read(profile[std::string(key)]); });
  });
}

uint32_t read_flags(JsonReader& in) {
  uint32_t flags = 0;
  std::string name;
  in.array([&] {
    in.read(name);
    flags |= map::osdmap_flag_from(name);
  });
  return flags;
}

}  // namespace

void read_osd_map(JsonReader& in, map::OSDMap& m) {
  int32_t max_osd = -1;
  std::vector<OsdInput> osds;
  bool has_pools = false;
  in.members(
      "epoch", m.epoch, "fsid", m.fsid, "flags_set", [&] { m.flags = read_flags(in); },
      "crush_version", m.crush_version, "full_ratio", [&] { m.full_ratio = read_ratio(in); },
      "backfillfull_ratio", [&] { m.backfillfull_ratio = read_ratio(in); }, "nearfull_ratio",
      [&] { m.nearfull_ratio = read_ratio(in); }, "pool_max", m.pool_max, "max_osd", max_osd,
      "require_min_compat_client", [&] { m.require_min_compat_client = read_release(in); },
      "require_osd_release", [&] { m.require_osd_release = read_release(in); }, "pools",
      [&] {
        has_pools = true;
        in.array([&] { read_pool(in, m); });
      },
      "osds", [&] { in.array([&] { read_osd(in, osds); }); }, "pg_upmap",
      [&] { read_pg_osds(in, m.pg_upmap); }, "pg_upmap_items", [&] { read_upmap_items(in, m); },
      "pg_temp", [&] { read_pg_osds(in, m.pg_temp); }, "primary_temp",
      [&] { read_primary_temp(in, m); }, "erasure_code_profiles", [&] { read_profiles(in, m); });
  if (!in.ok()) return;
  if (m.epoch == 0 || max_osd < 0 || !has_pools)
    return in.fail(fmt::format("has no '{}': is this the output of `ceph osd dump -f json`?",
                               m.epoch == 0  ? "epoch"
                               : max_osd < 0 ? "max_osd"
                                             : "pools"));
  if (max_osd > map::kMaxOsds) return in.fail(fmt::format("max_osd {} is too large", max_osd));
  place_osds(in, m, max_osd, osds);
}

json::object slim_osd_dump(const map::OSDMap& m) {
  json::object all = map::dump_osd_map(m);
  auto keep = [](json::object& from, std::initializer_list<std::string_view> keys) {
    json::object out;
    for (std::string_view key : keys) out[key] = std::move(from[key]);
    from = std::move(out);
  };
  keep(all, {"epoch", "fsid", "flags_set", "crush_version", "full_ratio", "backfillfull_ratio",
             "nearfull_ratio", "pool_max", "max_osd", "require_min_compat_client",
             "require_osd_release", "pools", "osds", "pg_upmap", "pg_upmap_items", "pg_temp",
             "primary_temp", "erasure_code_profiles"});
  for (auto& pool : all["pools"].as_array())
    keep(pool.as_object(),
         {"pool", "pool_name", "flags", "type", "size", "min_size", "crush_rule", "object_hash",
          "pg_num", "pg_placement_num", "pg_num_target", "pg_placement_num_target",
          "pg_num_pending", "stripe_width", "erasure_code_profile"});
  for (auto& osd : all["osds"].as_array())
    keep(osd.as_object(), {"osd", "uuid", "up", "in", "weight", "primary_affinity", "state"});
  return all;
}

}  // namespace plimsoll::mover
