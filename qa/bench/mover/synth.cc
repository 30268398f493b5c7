// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/bench/mover/synth.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>

#include "common/base/rng.h"
#include "common/map/pg_stats.h"

namespace plimsoll::mover {

namespace {

constexpr int kOsdsPerHost = 10;
constexpr int kHddsPerHost = 8;
constexpr uint64_t kTB = 1'000'000'000'000;
/// By host, in turn.
constexpr std::array<uint64_t, 3> kHddSizes{8 * kTB, 12 * kTB, 16 * kTB};
constexpr uint64_t kSsdSize = 4 * kTB;
/// Bucket weights are 16.16: a root holds less than 65,536.
constexpr double kMaxRootWeight = 60'000;
constexpr uint32_t kStripeUnit = 4096;

enum RuleId : int { kHddRack, kHddHost, kSsdHost, kHddErasure };

struct PoolShape {
  const char* name;
  RuleId rule;
  uint8_t size;
  uint32_t data_chunks;
  std::array<uint32_t, 3> pg_num;  ///< up to 100 OSDs, up to 1,000, beyond
  double share;                    ///< of the bytes of its device class
};
constexpr PoolShape kPools[] = {
    {"rbd_hdd", kHddRack, 3, 1, {1024, 8192, 131072}, 0.50},
    {"ec_data", kHddErasure, 6, 4, {1024, 8192, 65536}, 0.45},
    {"rbd_ssd", kSsdHost, 3, 1, {512, 8192, 65536}, 0.95},
    {"small_rep", kHddHost, 3, 1, {128, 1024, 16384}, 0.05},
    {"rgw_index", kSsdHost, 3, 1, {32, 32, 32}, 0.03},
    {"cephfs_meta", kSsdHost, 3, 1, {64, 64, 64}, 0.02},
};

bool is_ssd(OsdId osd) {
  return osd % kOsdsPerHost >= kHddsPerHost;
}

uint64_t device_size(OsdId osd) {
  return is_ssd(osd) ? kSsdSize : kHddSizes[osd / kOsdsPerHost % kHddSizes.size()];
}

int size_step(int osds) {
  return osds <= 100 ? 0 : osds <= 1000 ? 1 : 2;
}

template <class T>
T must(Result<T> r) {
  CHECK_NOTE(r.has_value(), r ? "" : r.error().text().c_str());
  return std::move(*r);
}

void add_bucket(map::CrushMap& crush, std::string name, const char* type,
                const std::vector<std::pair<map::CrushItem, map::CrushWeight>>& items) {
  map::CrushBucket b;
  b.id = -1 - static_cast<map::CrushItem>(crush.buckets.size());
  b.type = static_cast<uint16_t>(*crush.find_type(type));
  for (const auto& [item, weight] : items) {
    b.items.push_back(item);
    b.weights.push_back(weight);
  }
  map::recompute(b);
  crush.item_names[b.id] = std::move(name);
  crush.buckets.push_back(std::move(b));
}

/// Puts all buckets of a level, `per` in each, into buckets of the next one.
void add_level(map::CrushMap& crush, size_t first, size_t per, const char* type) {
  const size_t end = crush.buckets.size();
  for (size_t at = first, n = 0; at < end; n++) {
    std::vector<std::pair<map::CrushItem, map::CrushWeight>> items;
    for (const size_t stop = std::min(at + per, end); at < stop; at++)
      items.push_back({crush.buckets[at]->id, crush.buckets[at]->weight});
    add_bucket(crush, per >= end - first ? "default" : fmt::format("{}{}", type, n), type, items);
  }
}

map::CrushMap make_crush(int osds) {
  map::CrushMap crush = map::CrushMap::empty();
  crush.max_devices = osds;
  crush.class_names = {{0, "hdd"}, {1, "ssd"}};
  double total = 0;
  for (OsdId osd = 0; osd < osds; osd++)
    total += static_cast<double>(device_size(osd)) / (1ull << 40);
  const double scale = total > kMaxRootWeight ? 0.1 : 1;
  const int hosts = osds / kOsdsPerHost;
  for (int host = 0; host < hosts; host++) {
    std::vector<std::pair<map::CrushItem, map::CrushWeight>> items;
    for (OsdId osd = host * kOsdsPerHost; osd < (host + 1) * kOsdsPerHost; osd++) {
      const double weight = static_cast<double>(device_size(osd)) / (1ull << 40) * scale;
      items.push_back({osd, must(map::crush_weight_from(weight))});
      crush.item_names[osd] = fmt::format("osd.{}", osd);
      crush.device_classes[osd] = is_ssd(osd) ? 1 : 0;
    }
    add_bucket(crush, fmt::format("host{}", host), "host", items);
  }
  const int racks = std::array{5, 10, 50}[size_step(osds)];
  add_level(crush, 0, (hosts + racks - 1) / racks, "rack");
  add_level(crush, hosts, crush.buckets.size() - hosts, "root");
  CHECK(crush.rebuild_shadow_trees().has_value());

  auto rule = [&](RuleId id, const char* name, const char* domain, const char* device_class,
                  bool erasure) {
    CHECK(must(crush.add_simple_rule(name, "default", domain, device_class,
                                     erasure ? "indep" : "firstn",
                                     erasure ? map::kRuleErasure : map::kRuleReplicated)) == id);
  };
  rule(kHddRack, "hdd_rack", "rack", "hdd", false);
  rule(kHddHost, "hdd_host", "host", "hdd", false);
  rule(kSsdHost, "ssd_host", "host", "ssd", false);
  rule(kHddErasure, "hdd_erasure", "host", "hdd", true);
  return crush;
}

void add_pools(map::OSDMap& m, int osds) {
  for (const PoolShape& shape : kPools) {
    const PoolId id = ++m.pool_max;
    map::PgPool& p = m.pools[id];
    const bool erasure = shape.data_chunks > 1;
    p.type = erasure ? map::kPoolErasure : map::kPoolReplicated;
    p.size = shape.size;
    p.min_size = static_cast<uint8_t>(erasure ? shape.data_chunks + 1 : shape.size - 1);
    p.crush_rule = static_cast<uint8_t>(shape.rule);
    p.set_pg_num(shape.pg_num[size_step(osds)]);
    p.set_pgp_num(p.pg_num);
    p.last_change = m.epoch;
    if (erasure) {
      p.erasure_code_profile = "ec42";
      p.stripe_width = shape.data_chunks * kStripeUnit;
    }
    m.pool_names[id] = shape.name;
  }
  m.erasure_code_profiles["ec42"] = {
      {"k", "4"}, {"m", "2"}, {"plugin", "jerasure"}, {"technique", "reed_sol_van"}};
}

map::OSDMap make_map(const SynthShape& shape) {
  map::OSDMap m;
  m.epoch = 100;
  m.fsid = must(Uuid::parse("6d6f7665-7200-4000-8000-73796e746800"));
  m.created = m.modified = {1'700'000'000, 0};
  m.set_max_osd(shape.osds);
  for (OsdId osd = 0; osd < shape.osds; osd++) {
    m.osd_state[osd] = map::kOsdExists | (shape.up ? map::kOsdUp : 0);
    m.osd_weight[osd] = osd == shape.out ? map::kOsdOut : map::kOsdIn;
    for (int i = 0; i < 4; i++)
      m.osd_uuid[osd].bytes[12 + i] = static_cast<uint8_t>((osd + 1) >> (24 - 8 * i));
  }
  m.crush = map::SharedCrush(make_crush(shape.osds));
  add_pools(m, shape.osds);
  return m;
}

double normal(Rng& rng) {
  const double radius = std::sqrt(-2 * std::log(1 - rng.unit()));
  return radius * std::cos(2 * std::numbers::pi * rng.unit());
}

/// Sizes of the PGs of a pool that together take `raw_bytes` on the devices.
void add_pgs(Dump& dump, PoolId id, const PoolShape& shape, double raw_bytes, double sigma,
             Rng& rng) {
  const uint32_t pg_num = dump.map.pools.at(id).pg_num;
  std::vector<double> weights(pg_num);
  double sum = 0;
  for (double& w : weights) sum += w = std::exp(sigma * normal(rng));
  const double overhead = static_cast<double>(shape.size) / shape.data_chunks;
  const uint64_t unit = uint64_t{kStripeUnit} * shape.data_chunks;
  for (uint32_t seed = 0; seed < pg_num; seed++) {
    PgReport r;
    r.pgid = {id, seed};
    r.state = map::kPgActive | map::kPgClean;
    r.has_sizes = true;
    r.num_bytes = static_cast<uint64_t>(raw_bytes * weights[seed] / sum / overhead) / unit * unit;
    r.num_objects = r.num_bytes / (4 << 20) + 1;
    const std::vector<OsdId> members = dump.map.raw_upmap(r.pgid);
    r.first_acting = static_cast<uint32_t>(dump.acting.size());
    r.num_acting = static_cast<uint32_t>(members.size());
    dump.acting.insert(dump.acting.end(), members.begin(), members.end());
    for (OsdId osd : members)
      if (osd != kOsdNone) dump.osds[osd].used += r.num_bytes / shape.data_chunks;
    dump.pgs.push_back(r);
  }
}

}  // namespace

Dump make_synth(const SynthShape& shape) {
  CHECK(shape.osds > 0 && shape.osds % kOsdsPerHost == 0);
  Dump dump;
  dump.release = "16.2.15";
  dump.map = make_map(shape);
  double hdd = 0, ssd = 0;
  for (OsdId osd = 0; osd < shape.osds; osd++) {
    OsdReport& r = dump.osds[osd];
    r.reported = true;
    r.size = device_size(osd);
    r.min_alloc_size = kStripeUnit;
    (is_ssd(osd) ? ssd : hdd) += static_cast<double>(r.size);
  }
  Rng rng(shape.seed);
  PoolId id = 0;
  for (const PoolShape& p : kPools) {
    Rng of_pool = rng.fork();
    const double bytes = p.rule == kSsdHost ? ssd * shape.ssd_fill : hdd * shape.hdd_fill;
    add_pgs(dump, ++id, p, bytes * p.share, shape.sigma, of_pool);
  }
  for (auto& [osd, r] : dump.osds) r.used_data = r.used;
  return dump;
}

}  // namespace plimsoll::mover
