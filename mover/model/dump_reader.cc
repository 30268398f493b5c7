// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/dump_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/map/pg_stats.h"
#include "mover/model/crush_json.h"
#include "mover/model/osd_map_json.h"

namespace plimsoll::mover {

namespace {

constexpr size_t kMaxPgs = 1 << 24;
constexpr size_t kMaxMembers = 64;
constexpr int kFileVersion = 1;

template <class F>
Result<> read_document(ByteSource& source, std::string name, F&& read) {
  JsonReader in(source, std::move(name));
  read(in);
  return in.finish();
}

/// Bytes; Ceph's statistics are signed and go below zero now and then.
auto size_into(JsonReader& in, uint64_t& out, uint64_t unit = 1) {
  return [&in, &out, unit] {
    int64_t v = 0;
    in.read(v);
    if (v > INT64_MAX / static_cast<int64_t>(unit)) in.fail(fmt::format("is {}, too large", v));
    out = v > 0 ? static_cast<uint64_t>(v) * unit : 0;
  };
}

/// "active+clean"; names that newer releases have added are left out.
uint64_t state_from(std::string_view text) {
  uint64_t out = 0;
  while (!text.empty()) {
    const size_t plus = std::min(text.find('+'), text.size());
    out |= map::pg_state_from(text.substr(0, plus));
    text.remove_prefix(std::min(plus + 1, text.size()));
  }
  return out;
}

}  // namespace

// ---- documents ----------------------------------------------------------------------------------

Result<> DumpReader::osd_dump(ByteSource& source, std::string name) {
  has_map_ = true;
  return read_document(source, std::move(name),
                       [&](JsonReader& in) { read_osd_map(in, dump_.map); });
}

Result<> DumpReader::crush_dump(ByteSource& source, std::string name) {
  has_crush_ = true;
  return read_document(source, std::move(name),
                       [&](JsonReader& in) { read_crush(in, dump_.map.crush); });
}

Result<> DumpReader::pg_dump(ByteSource& source, std::string name) {
  return read_document(source, std::move(name), [&](JsonReader& in) {
    if (in.next_is('['))  // `pg dump pgs_brief` of old releases
      return in.array([&] { read_pg(in); }), void(has_pgs_ = true);
    read_pg_dump(in);
  });
}

Result<> DumpReader::osd_df(ByteSource& source, std::string name) {
  return read_document(source, std::move(name), [&](JsonReader& in) { read_osd_df(in); });
}

Result<> DumpReader::osd_metadata(ByteSource& source, std::string name) {
  return read_document(source, std::move(name), [&](JsonReader& in) {
    in.array([&] {
      OsdId osd = kNoOsd;
      std::string unit;
      in.members("id", osd, "bluestore_min_alloc_size", unit);
      uint64_t v = 0;
      std::from_chars(unit.data(), unit.data() + unit.size(), v);
      if (OsdReport* report = report_of(in, osd)) report->min_alloc_size = v;
    });
  });
}

Result<> DumpReader::version(ByteSource& source, std::string name) {
  return read_document(source, std::move(name),
                       [&](JsonReader& in) { in.members("version", dump_.release); });
}

Result<> DumpReader::balancer_status(ByteSource& source, std::string name) {
  return read_document(source, std::move(name), [&](JsonReader& in) { read_balancer(in); });
}

Result<> DumpReader::file(ByteSource& source, std::string name) {
  return read_document(source, std::move(name), [&](JsonReader& in) { read_file(in); });
}

void DumpReader::read_file(JsonReader& in) {
  int version = 0;
  auto read_map = [&] {
    has_map_ = true;
    read_osd_map(in, dump_.map);
  };
  auto read_crush_map = [&] {
    has_crush_ = true;
    read_crush(in, dump_.map.crush);
  };
  auto read_cordoned = [&] {
    in.array([&] {
      OsdId osd = kNoOsd;
      in.read(osd);
      dump_.cordoned.insert(osd);
    });
  };
  auto read_growth = [&] {
    in.array([&] {
      PoolId pool = -1;
      int64_t bytes = 0;
      in.members("pool", pool, "bytes", bytes);
      dump_.growth_per_day[pool] = bytes;
    });
  };
  in.members(
      "plimsoll_mover_dump", version, "release", dump_.release, "osd_dump", read_map, "crush_dump",
      read_crush_map, "pg_dump", [&] { read_pg_dump(in); }, "cordoned", read_cordoned,
      "growth_per_day", read_growth, "balancer_active", dump_.balancer_active, "warnings",
      dump_.warnings);
  if (!in.ok()) return;
  if (version == 0)
    in.fail("has no 'plimsoll_mover_dump': is this what `plimsoll-mover gather` wrote?");
  else if (version > kFileVersion)
    in.fail(fmt::format("is of version {}, this program reads up to {}", version, kFileVersion));
}

// ---- PGs ----------------------------------------------------------------------------------------

void DumpReader::read_pg_dump(JsonReader& in) {
  bool ready = true;
  auto read_pgs = [&] {
    has_pgs_ = true;
    in.array([&] { read_pg(in); });
  };
  in.members(
      "pg_ready", ready, "pg_map", [&] { read_pg_dump(in); }, "pg_stats", read_pgs, "osd_stats",
      [&] { in.array([&] { read_osd_stat(in); }); });
  if (!ready) in.fail("the manager has no statistics yet (pg_ready is false)");
}

void DumpReader::note_member(JsonReader& in, OsdId osd, PgId pg) {
  if (osd == kOsdNone || osd == kNoOsd) return;
  if (osd < 0 || osd >= map::kMaxOsds)
    return in.fail(fmt::format("PG {} is on {}, which is no OSD id", pg.to_string(), osd));
  if (static_cast<size_t>(osd) >= named_by_.size()) named_by_.resize(static_cast<size_t>(osd) + 1);
  if (named_by_[osd].pool < 0) named_by_[osd] = pg;
}

void DumpReader::read_pg(JsonReader& in) {
  PgReport pg;
  std::string state;
  std::vector<OsdId> up, acting;
  auto read_sum = [&] {
    pg.has_sizes = true;
    in.members("num_bytes", size_into(in, pg.num_bytes), "num_objects",
               size_into(in, pg.num_objects), "num_omap_bytes", size_into(in, pg.num_omap_bytes));
  };
  in.members("pgid", pg.pgid, "state", state, "stat_sum", read_sum, "up", up, "acting", acting);
  if (!in.ok()) return;
  if (pg.pgid.pool < 0) return in.fail("the PG has no pgid");
  if (acting.size() > kMaxMembers) return in.fail("the PG has too many members");
  if (dump_.pgs.size() == kMaxPgs) return in.fail("there are too many PGs");
  for (OsdId osd : up) note_member(in, osd, pg.pgid);
  for (OsdId osd : acting) note_member(in, osd, pg.pgid);
  pg.state = state_from(state);
  pg.first_acting = static_cast<uint32_t>(dump_.acting.size());
  pg.num_acting = static_cast<uint32_t>(acting.size());
  dump_.acting.insert(dump_.acting.end(), acting.begin(), acting.end());
  dump_.pgs.push_back(pg);
}

// ---- OSDs ---------------------------------------------------------------------------------------

OsdReport* DumpReader::report_of(JsonReader& in, OsdId osd) {
  if (!in.ok()) return nullptr;
  if (osd < 0 || osd >= map::kMaxOsds) {
    in.fail("the OSD has no id");
    return nullptr;
  }
  return &dump_.osds[osd];
}

void DumpReader::read_osd_stat(JsonReader& in) {
  OsdId osd = kNoOsd;
  OsdReport r;
  uint64_t available = 0;
  bool has_statfs = false, has_used = false;
  auto read_statfs = [&] {
    has_statfs = true;
    in.members("total", size_into(in, r.size), "available", size_into(in, available), "allocated",
               size_into(in, r.used_data), "omap_allocated", size_into(in, r.used_omap),
               "internal_metadata", size_into(in, r.used_meta));
  };
  // Ours says it; a statfs cannot say that a made-up device holds more than its size.
  auto read_used = [&] {
    has_used = true;
    size_into(in, r.used)();
  };
  auto read_allocated = [&] {
    in.array([&] {
      auto& [pg, bytes] = r.pg_allocated.emplace_back();
      uint64_t keys = 0;
      in.members("pgid", pg, "bytes", size_into(in, bytes), "keys", size_into(in, keys));
      // A device's use does not count keys, so what leaves it must not either.
      bytes -= std::min(bytes, keys);
    });
  };
  in.members("osd", osd, "statfs", read_statfs, "pg_allocated", read_allocated, "used", read_used,
             "min_alloc_size", size_into(in, r.min_alloc_size));
  OsdReport* report = report_of(in, osd);
  if (!report || !has_statfs) return;
  if (!has_used) r.used = r.size > available ? r.size - available : 0;
  r.reported = r.size > 0;
  if (!r.min_alloc_size) r.min_alloc_size = report->min_alloc_size;
  std::sort(r.pg_allocated.begin(), r.pg_allocated.end());
  *report = std::move(r);
}

void DumpReader::read_osd_df(JsonReader& in) {
  auto node = [&] {
    OsdId osd = kNoOsd;
    OsdReport r;
    in.members("id", osd, "kb", size_into(in, r.size, 1024), "kb_used", size_into(in, r.used, 1024),
               "kb_used_data", size_into(in, r.used_data, 1024), "kb_used_omap",
               size_into(in, r.used_omap, 1024), "kb_used_meta", size_into(in, r.used_meta, 1024));
    if (osd < 0) return;  // `osd df tree` has buckets between
    OsdReport* report = report_of(in, osd);
    if (!report || report->reported) return;
    r.reported = r.size > 0;
    r.min_alloc_size = report->min_alloc_size;
    *report = std::move(r);
  };
  auto nodes = [&] { in.array(node); };
  in.members("nodes", nodes, "stray", nodes);
}

void DumpReader::read_balancer(JsonReader& in) {
  bool active = false;
  std::string mode;
  in.members("active", active, "mode", mode);
  dump_.balancer_active = active && mode.starts_with("upmap");
}

Result<> DumpReader::cordon(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(", \t\n"), text.size());
    std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    std::string_view number = name;
    if (number.starts_with("osd.")) number.remove_prefix(4);
    OsdId osd = kNoOsd;
    const auto [rest, error] = std::from_chars(number.data(), number.data() + number.size(), osd);
    if (error != std::errc() || rest != number.data() + number.size() || osd < 0)
      return fail(EINVAL, fmt::format("config-key mover/cordon: '{}' is no OSD", name));
    dump_.cordoned.insert(osd);
  }
  return {};
}

// ---- the whole ----------------------------------------------------------------------------------

void DumpReader::sort_pgs() {
  auto& pgs = dump_.pgs;
  std::sort(pgs.begin(), pgs.end(),
            [](const PgReport& a, const PgReport& b) { return a.pgid < b.pgid; });
  // A pool that was listed twice: the first report counts.
  pgs.erase(std::unique(pgs.begin(), pgs.end(),
                        [](const PgReport& a, const PgReport& b) { return a.pgid == b.pgid; }),
            pgs.end());
  const size_t before = pgs.size();
  std::erase_if(pgs, [&](const PgReport& r) { return !dump_.map.pg_exists(r.pgid); });
  if (before != pgs.size())
    warn(fmt::format("{} reports are of PGs that the map of epoch {} does not have",
                     before - pgs.size(), dump_.map.epoch));
}

Result<> DumpReader::check_members() const {
  for (size_t osd = 0; osd < named_by_.size(); osd++)
    if (named_by_[osd].pool >= 0 && !dump_.map.exists(static_cast<OsdId>(osd)))
      return fail(EINVAL, fmt::format("PG {} is on osd.{}, which the map of epoch {} does not have",
                                      named_by_[osd].to_string(), osd, dump_.map.epoch));
  return {};
}

Result<Dump> DumpReader::finish() {
  const char* missing = !has_map_     ? "`osd dump`"
                        : !has_crush_ ? "`osd crush dump`"
                        : !has_pgs_   ? "`pg dump`"
                                      : nullptr;
  if (missing) return fail(EINVAL, fmt::format("the output of {} is missing", missing));
  TRY_VOID(check_members());
  for (const auto& [id, pool] : dump_.map.pools)
    if (dump_.map.rule_of(pool) < 0)
      return fail(EINVAL, fmt::format("pool {} '{}' has CRUSH rule {}, which the CRUSH map does "
                                      "not have for its type and size",
                                      id, dump_.map.pool_name(id), pool.crush_rule));
  sort_pgs();
  std::erase_if(dump_.osds, [&](const auto& entry) { return !dump_.map.exists(entry.first); });
  return std::move(dump_);
}

}  // namespace plimsoll::mover
