// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/pg_pool.h"

#include <bit>

#include "common/base/hash.h"

namespace plimsoll::map {

namespace {

struct FlagName {
  uint64_t flag;
  const char* name;
};
constexpr FlagName kFlagNames[] = {{kPoolHashPsPool, "hashpspool"},
                                   {kPoolFull, "full"},
                                   {kPoolEcOverwrites, "ec_overwrites"},
                                   {kPoolIncompleteClones, "incomplete_clones"},
                                   {kPoolNoDelete, "nodelete"},
                                   {kPoolNoPgChange, "nopgchange"},
                                   {kPoolNoSizeChange, "nosizechange"},
                                   {kPoolWriteFadviseDontneed, "write_fadvise_dontneed"},
                                   {kPoolNoScrub, "noscrub"},
                                   {kPoolNoDeepScrub, "nodeep-scrub"},
                                   {kPoolFullQuota, "full_quota"},
                                   {kPoolNearFull, "nearfull"},
                                   {kPoolBackfillFull, "backfillfull"},
                                   {kPoolSelfManagedSnaps, "selfmanaged_snaps"},
                                   {kPoolPoolSnaps, "pool_snaps"},
                                   {kPoolCreating, "creating"}};

constexpr int32_t kString = 0, kInt = 1, kDouble = 2;

}  // namespace

std::string pool_flags_text(uint64_t flags) {
  std::string out;
  for (const auto& entry : kFlagNames) {
    if (!(flags & entry.flag)) continue;
    if (!out.empty()) out += ',';
    out += entry.name;
  }
  return out;
}

uint64_t pool_flag_from(std::string_view name) {
  for (const auto& entry : kFlagNames)
    if (name == entry.name) return entry.flag;
  return 0;
}

const char* pg_autoscale_mode_name(PgAutoscaleMode mode) {
  switch (mode) {
    case PgAutoscaleMode::kOff:
      return "off";
    case PgAutoscaleMode::kWarn:
      return "warn";
    case PgAutoscaleMode::kOn:
      return "on";
  }
  return "???";
}

const std::vector<PoolOpts::Spec>& PoolOpts::specs() {
  // Alphabetical, which is Ceph's print order.
  static const std::vector<Spec> kSpecs = {
      {"compression_algorithm", 7, kString},
      {"compression_max_blob_size", 9, kInt},
      {"compression_min_blob_size", 10, kInt},
      {"compression_mode", 6, kString},
      {"compression_required_ratio", 8, kDouble},
      {"csum_max_block", 12, kInt},
      {"csum_min_block", 13, kInt},
      {"csum_type", 11, kInt},
      {"dedup_cdc_chunk_size", 22, kInt},
      {"dedup_chunk_algorithm", 21, kString},
      {"dedup_tier", 20, kInt},
      {"deep_scrub_interval", 2, kDouble},
      {"fingerprint_algorithm", 14, kString},
      {"pg_autoscale_bias", 18, kDouble},
      {"pg_num_max", 23, kInt},
      {"pg_num_min", 15, kInt},
      {"read_lease_interval", 19, kDouble},
      {"recovery_op_priority", 4, kInt},
      {"recovery_priority", 3, kInt},
      {"scrub_max_interval", 1, kDouble},
      {"scrub_min_interval", 0, kDouble},
      {"scrub_priority", 5, kInt},
      {"target_size_bytes", 16, kInt},
      {"target_size_ratio", 17, kDouble},
  };
  return kSpecs;
}

const PoolOpts::Spec* PoolOpts::find(std::string_view name) {
  for (const auto& spec : specs())
    if (name == spec.name) return &spec;
  return nullptr;
}

const PoolOpts::Spec* PoolOpts::find(int32_t key) {
  for (const auto& spec : specs())
    if (key == spec.key) return &spec;
  return nullptr;
}

void encode(const PoolOpts& v, ByteWriter& w) {
  wire::enclose(w, {2, 1}, [&] {
    w.u32(static_cast<uint32_t>(v.values.size()));
    for (const auto& [key, value] : v.values) {
      w.u32(static_cast<uint32_t>(key));
      w.u32(static_cast<uint32_t>(value.index()));
      std::visit([&](const auto& x) { wire::encode(x, w); }, value);
    }
  });
}

void decode(PoolOpts& v, ByteReader& r) {
  v.values.clear();
  wire::disclose(r, {2, 1}, [&](uint8_t) {
    for (uint32_t n = r.count(8); n && r.ok(); n--) {
      const int32_t key = static_cast<int32_t>(r.u32());
      const uint32_t kind = r.u32();
      auto& value = v.values[key];
      if (kind == kString)
        wire::decode(value.emplace<std::string>(), r);
      else if (kind == kInt)
        wire::decode(value.emplace<int64_t>(), r);
      else if (kind == kDouble)
        wire::decode(value.emplace<double>(), r);
      else
        r.fail("unknown kind of pool option");
    }
  });
}

uint32_t pg_mask(uint32_t n) {
  return n <= 1 ? 0 : static_cast<uint32_t>((uint64_t{1} << std::bit_width(n - 1)) - 1);
}

uint32_t stable_mod(uint32_t x, uint32_t b) {
  if (b == 0) return 0;
  const uint32_t mask = pg_mask(b);
  return (x & mask) < b ? x & mask : x & (mask >> 1);
}

void PgPool::set_pg_num(uint32_t n) {
  pg_num = pg_num_target = pg_num_pending = n;
}
void PgPool::set_pgp_num(uint32_t n) {
  pgp_num = pgp_num_target = n;
}

uint32_t PgPool::hash_object(std::string_view name, std::string_view key, std::string_view nspace) {
  const std::string_view hashed = key.empty() ? name : key;
  if (nspace.empty()) return rjenkins_str(hashed);
  std::string whole(nspace);
  whole += '\x1f';
  whole += hashed;
  return rjenkins_str(whole);
}

uint32_t PgPool::placement_seed(PgId pg) const {
  const uint32_t seed = stable_mod(pg.seed, pgp_num);
  const uint32_t pool = static_cast<uint32_t>(pg.pool);
  return has_flag(kPoolHashPsPool) ? rjenkins2(seed, pool) : seed + pool;
}

}  // namespace plimsoll::map
