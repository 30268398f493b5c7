// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions about pools: ls, get, quota, applications, stats, what an autoscaler would do.
#include <fmt/format.h>

#include <cmath>

#include "common/base/size_text.h"
#include "common/base/text_table.h"
#include "common/map/osd_map_dump.h"
#include "mon/commands/rates.h"
#include "mon/commands/support.h"
#include "mon/space.h"

namespace plimsoll::mon {
namespace {

using map::PgPool;
using map::PoolOpts;

CommandReply ls(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  if (a.opt_str("detail") == "detail")
    return answer(a, map::dump_pools_detail(m), map::print_pools_detail(m) + "\n");
  json::array names;
  std::string plain;
  for (const auto& [id, _] : m.pools) {
    names.push_back(json::value(m.pool_name(id)));
    plain += m.pool_name(id) + "\n";
  }
  return answer(a, names, std::move(plain));
}

CommandReply lspools(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  json::array pools;
  std::string plain;
  for (const auto& [id, _] : m.pools) {
    pools.push_back(json::object{{"poolnum", id}, {"poolname", m.pool_name(id)}});
    plain += fmt::format("{} {}\n", id, m.pool_name(id));
  }
  return answer(a, pools, std::move(plain));
}

// ---- osd pool get
// ---------------------------------------------------------------------------------

/// One variable's value; nothing where the pool does not have it.
std::optional<json::value> variable(const map::OSDMap& m, const PgPool& p, const std::string& var) {
  if (var == "size") return json::value(p.size);
  if (var == "min_size") return json::value(p.min_size);
  if (var == "pg_num") return json::value(p.pg_num);
  if (var == "pgp_num") return json::value(p.pgp_num);
  if (var == "crush_rule") return json::value(m.crush->rule_name(p.crush_rule));
  if (var == "use_gmt_hitset") return json::value(p.use_gmt_hitset);
  if (var == "fast_read") return json::value(p.fast_read ? 1 : 0);
  if (var == "pg_autoscale_mode")
    return json::value(map::pg_autoscale_mode_name(p.pg_autoscale_mode));
  if (var == "bulk") return json::value((p.flags & (1 << 17)) != 0);
  if (var == "target_max_objects" && p.tier_of >= 0) return json::value(p.target_max_objects);
  if (var == "target_max_bytes" && p.tier_of >= 0) return json::value(p.target_max_bytes);
  if (var == "erasure_code_profile" && p.is_erasure()) return json::value(p.erasure_code_profile);
  if (const uint64_t flag = map::pool_flag_from(var)) return json::value((p.flags & flag) != 0);
  const PoolOpts::Spec* spec = PoolOpts::find(var);
  if (!spec) return {};
  const auto it = p.opts.values.find(spec->key);
  if (it == p.opts.values.end()) return {};
  return std::visit([](const auto& v) { return json::value(v); }, it->second);
}

/// The order in which `all` prints them.
constexpr const char* kVariables[] = {"size",
                                      "min_size",
                                      "pg_num",
                                      "pgp_num",
                                      "crush_rule",
                                      "hashpspool",
                                      "nodelete",
                                      "nopgchange",
                                      "nosizechange",
                                      "write_fadvise_dontneed",
                                      "noscrub",
                                      "nodeep-scrub",
                                      "use_gmt_hitset",
                                      "erasure_code_profile",
                                      "fast_read",
                                      "scrub_min_interval",
                                      "scrub_max_interval",
                                      "deep_scrub_interval",
                                      "recovery_priority",
                                      "recovery_op_priority",
                                      "scrub_priority",
                                      "compression_mode",
                                      "compression_algorithm",
                                      "compression_required_ratio",
                                      "compression_max_blob_size",
                                      "compression_min_blob_size",
                                      "csum_type",
                                      "csum_max_block",
                                      "csum_min_block",
                                      "fingerprint_algorithm",
                                      "pg_autoscale_mode",
                                      "pg_num_min",
                                      "pg_num_max",
                                      "target_size_bytes",
                                      "target_size_ratio",
                                      "pg_autoscale_bias",
                                      "dedup_tier",
                                      "dedup_chunk_algorithm",
                                      "dedup_cdc_chunk_size",
                                      "bulk"};

std::string plain_value(const std::string& var, const json::value& v) {
  if (v.is_string()) return std::string(v.get_string());
  // Ceph prints this one flag as a number.
  if (var == "use_gmt_hitset") return v.as_bool() ? "1" : "0";
  return command::print(v, command::Format::kJson);
}

CommandReply get(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const Result<PoolId> id = find_pool(m, a.str("pool"));
  if (!id) return CommandReply(id.error());
  const PgPool& p = *m.pool(*id);
  const std::string var = a.str("var");
  json::object o{{"pool", a.str("pool")}, {"pool_id", *id}};
  std::string plain;
  const auto put = [&](const std::string& name, const json::value& v) {
    o[name] = v;
    plain += name + ": " + plain_value(name, v) + "\n";
  };
  if (var == "all") {
    for (const char* name : kVariables)
      if (const auto v = variable(m, p, name)) put(name, *v);
    return answer(a, o, std::move(plain));
  }
  const auto v = variable(m, p, var);
  if (v) {
    put(var, *v);
    return answer(a, o, std::move(plain));
  }
  if (PoolOpts::find(var))
    return {-ENOENT, "option '" + var + "' is not set on pool '" + a.str("pool") + "'"};
  return {-EACCES, "pool '" + a.str("pool") + "' is not a tier pool: variable not applicable"};
}

// ---- quota and applications
// -----------------------------------------------------------------------

CommandReply get_quota(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const std::string name = a.str("pool");
  const auto id = m.find_pool(name);
  if (!id) return {-ENOENT, "unrecognized pool '" + name + "'"};
  const PgPool& p = *m.pool(*id);
  const map::ObjectStats now = pool_space(m, c.services.stats.pg_map(), *id).stats;
  const auto objects = static_cast<uint64_t>(now.num_objects),
             bytes = static_cast<uint64_t>(now.num_bytes);
  json::object o{{"pool_name", name},
                 {"pool_id", *id},
                 {"quota_max_objects", p.quota_max_objects},
                 {"current_num_objects", objects},
                 {"quota_max_bytes", p.quota_max_bytes},
                 {"current_num_bytes", bytes}};
  std::string plain = "quotas for pool '" + name + "':\n  max objects: ";
  plain += p.quota_max_objects
               ? fmt::format("{} objects  (current num objects: {} objects)",
                             si_text(p.quota_max_objects), si_text(objects))
               : "N/A";
  plain += "\n  max bytes  : ";
  const auto size = [](uint64_t n) {
    // Whole bytes are spelled out here.
    return n < 1024 ? fmt::format("{} bytes", n) : bytes_text(n);
  };
  plain += p.quota_max_bytes
               ? fmt::format("{}  (current num bytes: {})", size(p.quota_max_bytes), size(bytes))
               : "N/A";
  return answer(a, o, plain + "\n");
}

json::object dump_applications(const PgPool& p) {
  json::object apps;
  for (const auto& [app, values] : p.applications) {
    json::object o;
    for (const auto& [k, v] : values) o[k] = v;
    apps[app] = std::move(o);
  }
  return apps;
}

CommandReply application_get(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const auto pool = a.opt_str("pool");
  if (!pool) {
    json::object all;
    for (const auto& [id, p] : m.pools) all[m.pool_name(id)] = dump_applications(p);
    return answer_json(a, all);
  }
  const Result<PoolId> id = find_pool(m, *pool);
  if (!id) return CommandReply(id.error());
  const PgPool& p = *m.pool(*id);
  const auto app = a.opt_str("app"), key = a.opt_str("key");
  if (!app) return answer_json(a, dump_applications(p));
  const auto found = p.applications.find(*app);
  if (found == p.applications.end())
    return {-ENOENT, "pool '" + *pool + "' has no application '" + *app + "'"};
  if (!key) return answer_json(a, dump_applications(p).at(*app));
  const auto value = found->second.find(*key);
  if (value == found->second.end())
    return {-ENOENT,
            "application '" + *app + "' on pool '" + *pool + "' does not have key '" + *key + "'"};
  return CommandReply::text(wants_json(a) ? command::print(json::value(value->second), a.format())
                                          : value->second + "\n");
}

// ---- statistics
// -----------------------------------------------------------------------------------

CommandReply stats(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const auto only = a.opt_str("pool_name");
  if (only && !m.find_pool(*only)) return {-ENOENT, "unrecognized pool '" + *only + "'"};
  const auto sums = c.services.stats.pg_map().pool_stats();
  json::array all;
  std::string plain;
  for (const auto& [id, _] : m.pools) {
    const std::string name = m.pool_name(id);
    if (only && name != *only) continue;
    const auto sum = sums.find(id);
    const map::ObjectStats now = sum == sums.end() ? map::ObjectStats{} : sum->second.stats;
    const map::ObjectStats rate = c.services.stats.pool_rate(id);
    json::object o{{"pool_name", name}, {"pool_id", id}};
    o["recovery"] = dump_recovery_state(now);
    o["recovery_rate"] = dump_recovery_rate(rate);
    o["client_io_rate"] = dump_client_rate(rate);
    all.push_back(std::move(o));
    plain += fmt::format("pool {} id {}\n", name, id);
    std::string lines;
    for (const std::string& l : recovery_lines(now)) lines += "  " + l + "\n";
    if (const std::string t = recovery_rate_text(rate); !t.empty())
      lines += "  recovery io " + t + "\n";
    if (const std::string t = client_rate_text(rate); !t.empty())
      lines += "  client io " + t + "\n";
    plain += lines.empty() ? "  nothing is going on\n" : lines;
    plain += "\n";
  }
  return answer(a, all, std::move(plain));
}

/// "220.9k", "12288M": the autoscaler's sizes.
std::string scaled(double n) {
  static constexpr const char* kUnits[] = {"", "k", "M", "G", "T", "P"};
  size_t unit = 0;
  while (n >= 1024 * 10 && unit + 1 < std::size(kUnits)) n /= 1024, unit++;
  if (unit == 0 || n == std::floor(n)) return fmt::format("{:.0f}{}", n, kUnits[unit]);
  return fmt::format("{:.1f}{}", n, kUnits[unit]);
}

CommandReply autoscale_status(CommandContext& c, const Args& a) {
  const map::OSDMap& m = c.services.osd.map();
  const map::PgMap& pgs = c.services.stats.pg_map();
  json::array all;
  TextTable table;
  table.column("POOL", Align::kLeft, Align::kLeft);
  for (const char* name : {"SIZE", "TARGET SIZE", "RATE", "RAW CAPACITY", "RATIO", "TARGET RATIO",
                           "EFFECTIVE RATIO", "BIAS", "PG_NUM", "NEW PG_NUM"})
    table.column(name, Align::kRight, Align::kRight);
  table.column("AUTOSCALE", Align::kLeft, Align::kLeft);
  table.column("BULK", Align::kLeft, Align::kLeft);
  for (const auto& [id, p] : m.pools) {
    const PoolSpace space = pool_space(m, pgs, id);
    double capacity = 0;
    for (const auto& [osd, _] : m.crush->device_shares_of_rule(p.crush_rule))
      if (const auto s = pgs.osds.find(osd); s != pgs.osds.end())
        capacity += static_cast<double>(s->second.statfs.total);
    const auto roots = m.crush->roots_of_rule(p.crush_rule);
    const double raw = static_cast<double>(space.stored) * p.size;
    const double ratio = capacity > 0 ? raw / capacity : 0;
    const std::string mode = map::pg_autoscale_mode_name(p.pg_autoscale_mode);
    const bool bulk = p.flags & (1 << 17);
    json::object o{{"actual_capacity_ratio", ratio},
                   {"actual_raw_used", raw},
                   {"bias", 1.0},
                   {"bulk", bulk},
                   {"capacity_ratio", ratio},
                   {"crush_root_id", roots.empty() ? 0 : *roots.begin()},
                   {"effective_target_ratio", 0.0},
                   {"logical_used", space.stored},
                   {"pg_autoscale_mode", mode},
                   {"pg_num_final", p.pg_num},
                   {"pg_num_ideal", 0},
                   {"pg_num_target", p.pg_num},
                   {"pool_id", id},
                   {"pool_name", m.pool_name(id)},
                   {"raw_used", raw},
                   {"raw_used_rate", static_cast<double>(p.size)},
                   {"subtree_capacity", capacity},
                   {"target_bytes", 0},
                   {"target_ratio", 0.0},
                   {"would_adjust", false}};
    all.push_back(std::move(o));
    table.row({m.pool_name(id), scaled(static_cast<double>(space.stored)), "",
               fmt::format("{:.1f}", double(p.size)), scaled(capacity),
               fmt::format("{:.4f}", ratio), "", "", "1.0", std::to_string(p.pg_num), "", mode,
               bulk ? "True" : "False"});
  }
  return answer(a, all, table.to_string());
}

const CommandRow kRows[] = {
    {"osd lspools", "list pools with their ids", "osd", "r", command::kFlagDeprecated,
     query(lspools)},
    {"osd pool ls name=detail,type=CephChoices,strings=detail,req=false", "list pools", "osd", "r",
     0, query(ls)},
    {"osd pool get name=pool,type=CephPoolname "
     "name=var,type=CephChoices,strings=size|min_size|pg_num|pgp_num|crush_rule|hashpspool|"
     "nodelete|"
     "nopgchange|nosizechange|write_fadvise_dontneed|noscrub|nodeep-scrub|hit_set_type|hit_set_"
     "period|"
     "hit_set_count|hit_set_fpp|use_gmt_hitset|target_max_objects|target_max_bytes|"
     "cache_target_dirty_ratio|cache_target_dirty_high_ratio|cache_target_full_ratio|"
     "cache_min_flush_age|cache_min_evict_age|erasure_code_profile|min_read_recency_for_promote|"
     "all|"
     "min_write_recency_for_promote|fast_read|hit_set_grade_decay_rate|hit_set_search_last_n|"
     "scrub_min_interval|scrub_max_interval|deep_scrub_interval|recovery_priority|"
     "recovery_op_priority|scrub_priority|compression_mode|compression_algorithm|"
     "compression_required_ratio|compression_max_blob_size|compression_min_blob_size|csum_type|"
     "csum_min_block|csum_max_block|allow_ec_overwrites|fingerprint_algorithm|pg_autoscale_mode|"
     "pg_autoscale_bias|pg_num_min|pg_num_max|target_size_bytes|target_size_ratio|dedup_tier|"
     "dedup_chunk_algorithm|dedup_cdc_chunk_size|bulk",
     "print a pool's setting, or all", "osd", "r", 0, query(get)},
    {"osd pool get-quota name=pool,type=CephPoolname", "print a pool's limits", "osd", "r", 0,
     query(get_quota)},
    {"osd pool application get name=pool,type=CephPoolname,req=fasle "
     "name=app,type=CephString,req=false "
     "name=key,type=CephString,req=false",
     "print the applications of a pool and their values", "osd", "r", 0, query(application_get)},
    {"osd pool stats name=pool_name,type=CephPoolname,req=false",
     "print recovery and client traffic by pool", "osd", "r", 0, query(stats)},
    {"osd pool autoscale-status name=format,type=CephString,req=false",
     "print pools' sizes and PG counts (they are not changed automatically)", "mgr", "r", 0,
     query(autoscale_status)},
};

}  // namespace

void add_pool_queries(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
