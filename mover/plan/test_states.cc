// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/test_states.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/map/crush_text.h"
#include "mover/plan/upmap.h"

namespace plimsoll::mover {

namespace {

template <class T>
T must(Result<T> r) {
  CHECK_NOTE(r.has_value(), r ? "" : r.error().text().c_str());
  return std::move(*r);
}

}  // namespace

TestCluster::TestCluster() : crush_(map::CrushMap::empty()) {
  state_.epoch = 10;
}

OsdId TestCluster::add_osd(const Osd& osd) {
  const auto id = static_cast<OsdId>(state_.devices.size());
  map::CrushLocation at{{"root", osd.root}, {"host", osd.host}};
  if (!osd.rack.empty()) at["rack"] = osd.rack;
  must(crush_.set_device(id, fmt::format("osd.{}", id), static_cast<double>(osd.size) / 1000, at));
  if (!osd.device_class.empty()) must(crush_.set_device_class(id, osd.device_class));
  Device d;
  d.exists = d.up = d.in = true;
  d.size = osd.size * kGiB;
  state_.devices.push_back(d);
  return id;
}

int TestCluster::add_rule(const std::string& name, const std::vector<std::string>& steps,
                          bool erasure) {
  const int id = num_rules_++;
  rules_ += fmt::format("rule {} {{\n id {}\n type {}\n min_size 1\n max_size 20\n", name, id,
                        erasure ? "erasure" : "replicated");
  for (const std::string& step : steps) rules_ += " step " + step + "\n";
  rules_ += "}\n";
  return id;
}

PoolId TestCluster::add_pool(const std::string& name, int rule, uint8_t size, bool erasure) {
  const auto id = static_cast<PoolId>(state_.pools.size()) + 1;
  Pool& pool = state_.pools[id];
  pool.name = name;
  pool.rule = rule;
  pool.info.type = erasure ? map::kPoolErasure : map::kPoolReplicated;
  pool.info.size = size;
  pool.info.min_size = static_cast<uint8_t>(size > 1 ? size - 1 : 1);
  pool.info.crush_rule = static_cast<uint8_t>(rule);
  if (erasure) pool.data_chunks = size > 2 ? size - 2 : 1;
  return id;
}

PgId TestCluster::add_pg(PoolId pool, uint64_t gib, const std::vector<OsdId>& up,
                         const std::vector<OsdId>& raw) {
  map::PgPool& info = state_.pools.at(pool).info;
  const PgId id{pool, info.pg_num};
  info.set_pg_num(info.pg_num + 1);
  CHECK(state_.pg_ids.empty() || state_.pg_ids.back() < id);
  CHECK(up.size() == info.size && (raw.empty() || raw.size() == up.size()));
  const std::vector<OsdId>& crush_says = raw.empty() ? up : raw;
  if (crush_says != up)
    state_.upmap_items[static_cast<PgIndex>(state_.num_pgs())] =
        *upmap_items(crush_says, up, info.is_erasure());
  state_.pg_ids.push_back(id);
  state_.pg_flags.push_back(kPgIsActive | kPgIsClean);
  state_.first_position.push_back(static_cast<uint32_t>(state_.up.size()));
  state_.raw.insert(state_.raw.end(), crush_says.begin(), crush_says.end());
  state_.up.insert(state_.up.end(), up.begin(), up.end());
  state_.acting.insert(state_.acting.end(), up.begin(), up.end());
  state_.shard_bytes.insert(state_.shard_bytes.end(), up.size(), gib * kGiB);
  return id;
}

State TestCluster::make() const {
  State out = state_;
  out.crush = map::SharedCrush(must(map::crush_from_text(map::crush_to_text(crush_) + rules_)));
  out.first_position.push_back(static_cast<uint32_t>(out.up.size()));
  for (Device& d : out.devices) d.used = d.fixed;
  for (size_t i = 0; i < out.acting.size(); i++)
    if (out.acting[i] != kOsdNone) out.devices[out.acting[i]].used += out.shard_bytes[i];
  return out;
}

State after(const State& state, const Plan& plan) {
  State out = state;
  for (const Move& m : plan.moves) {
    const PgIndex pg = out.find(m.pg);
    const bool erasure = out.pools.at(m.pg.pool).info.is_erasure();
    const std::vector<OsdId> up = apply_upmap_items(out.raw_of(pg), m.items_after);
    CHECK(!erasure || up[m.position] == m.to);
    for (size_t i = 0; i < up.size(); i++)
      out.up[out.first_position[pg] + i] = out.acting[out.first_position[pg] + i] = up[i];
    if (m.items_after.empty())
      out.upmap_items.erase(pg);
    else
      out.upmap_items[pg] = m.items_after;
    out.devices[m.from].used -= m.bytes;
    out.devices[m.to].used += m.bytes;
  }
  return out;
}

}  // namespace plimsoll::mover
