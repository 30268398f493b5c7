// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/pool_edits.h"

#include <fmt/format.h>

#include "common/command/args.h"
#include "common/config/option.h"
#include "common/map/crush_mapper.h"

namespace plimsoll::mon {

using map::PgPool;
using map::PoolOpts;

namespace {

constexpr uint64_t kBulkFlag = 1 << 17;
constexpr int64_t kMaxSize = 10;

Result<int> find_rule(const config::Config& config, const map::CrushMap& crush,
                      const std::string& name) {
  if (!name.empty()) {
    if (const auto rule = crush.find_rule(name)) return *rule;
    return fail(ENOENT, "specified rule " + name + " doesn't exist");
  }
  const auto wanted = static_cast<int>(config.osd_pool_default_crush_rule());
  if (wanted >= 0 && crush.rule(wanted)) return wanted;
  for (size_t i = 0; i < crush.rules.size(); i++)
    if (crush.rules[i] && crush.rules[i]->type == map::kRuleReplicated) return static_cast<int>(i);
  return fail(ENOENT,
              "no suitable CRUSH rule exists, check 'osd pool default crush *' config options");
}

Result<map::PgAutoscaleMode> parse_autoscale(const std::string& text) {
  for (const auto mode :
       {map::PgAutoscaleMode::kOff, map::PgAutoscaleMode::kWarn, map::PgAutoscaleMode::kOn})
    if (text == map::pg_autoscale_mode_name(mode)) return mode;
  return fail(EINVAL, "specified invalid mode " + text);
}

}  // namespace

Result<> check_pg_count(const config::Config& config, const map::OSDMap& map, PoolId changed,
                        uint32_t pg_num, uint32_t size) {
  uint64_t copies = uint64_t{pg_num} * size;
  for (const auto& [id, pool] : map.pools)
    if (id != changed) copies += uint64_t{pool.pg_num} * pool.size;
  const uint64_t osds = static_cast<uint64_t>(std::max(map.num_in_osds(), 3));
  const uint64_t most = config.mon_max_pg_per_osd() * osds;
  if (copies <= most) return {};
  return fail(ERANGE,
              fmt::format("pg_num {} size {} for this pool would result in {} cumulative PGs "
                          "per OSD ({} total PG replicas on {} 'in' root OSDs by crush rule) "
                          "which exceeds the mon_max_pg_per_osd value of {}",
                          pg_num, size, copies / osds, copies, osds, config.mon_max_pg_per_osd()));
}

Result<PoolId> create_pool(const config::Config& config, Utime now, const PoolCreate& request,
                           OsdDraft& d) {
  if (request.name.empty()) return fail(EINVAL, "a pool needs a name");
  if (d.now.pools.size() >= config.mon_max_pools())
    return fail(ERANGE, fmt::format("there are already {} pools", d.now.pools.size()));
  const std::string type = request.type.empty() ? config.osd_pool_default_type() : request.type;
  if (type != "replicated") return fail(EOPNOTSUPP, "pools of type " + type + " are not supported");
  TRY(rule, find_rule(config, *d.now.crush, request.rule));

  PgPool pool;
  const auto default_pgs = static_cast<int64_t>(config.osd_pool_default_pg_num());
  const int64_t pg_num = request.pg_num.value_or(0) > 0 ? *request.pg_num : default_pgs;
  const auto most = static_cast<int64_t>(config.mon_max_pool_pg_num());
  if (pg_num > most)
    return fail(ERANGE,
                fmt::format("'pg_num' must be greater than 0 and less than or equal to {} (you "
                            "may adjust 'mon max pool pg num' for higher values)",
                            most));
  const auto default_pgp = static_cast<int64_t>(config.osd_pool_default_pgp_num());
  int64_t pgp_num = request.pgp_num.value_or(0) > 0 ? *request.pgp_num : default_pgp;
  if (pgp_num <= 0) pgp_num = pg_num;
  if (pgp_num > pg_num) {
    if (request.pgp_num.value_or(0) > 0)
      return fail(ERANGE, fmt::format("'pgp_num' must be greater than 0 and lower or equal than "
                                      "'pg_num', which in this case is {}",
                                      pg_num));
    pgp_num = pg_num;
  }
  const int64_t size = request.size.value_or(0) > 0
                           ? *request.size
                           : static_cast<int64_t>(config.osd_pool_default_size());
  if (size < 1 || size > kMaxSize) return fail(EINVAL, "pool size must be between 1 and 10");
  if (size == 1 && request.size && !config.mon_allow_pool_size_one())
    return fail(EPERM, "configuring pool size as 1 is disabled by default.");
  TRY_VOID(check_pg_count(config, d.now, -1, static_cast<uint32_t>(pg_num),
                          static_cast<uint32_t>(size)));

  pool.size = static_cast<uint8_t>(size);
  const auto min_size = static_cast<int64_t>(config.osd_pool_default_min_size());
  pool.min_size = static_cast<uint8_t>(min_size ? std::min(min_size, size) : size - size / 2);
  pool.crush_rule = static_cast<uint8_t>(rule);
  pool.set_pg_num(static_cast<uint32_t>(pg_num));
  pool.set_pgp_num(static_cast<uint32_t>(pgp_num));
  pool.pg_num_pending = pool.pg_num;
  pool.last_change = d.inc.epoch;
  pool.create_time = now;
  pool.expected_num_objects = static_cast<uint64_t>(request.expected_num_objects.value_or(0));
  const std::string mode = request.autoscale_mode.empty()
                               ? config.osd_pool_default_pg_autoscale_mode()
                               : request.autoscale_mode;
  TRY(autoscale, parse_autoscale(mode));
  pool.pg_autoscale_mode = autoscale;
  const auto opt = [&pool](const char* name, PoolOpts::Value value) {
    pool.opts.values[PoolOpts::find(name)->key] = std::move(value);
  };
  if (request.pg_num_min.value_or(0) > 0) opt("pg_num_min", *request.pg_num_min);
  if (request.pg_num_max.value_or(0) > 0) opt("pg_num_max", *request.pg_num_max);
  if (request.target_size_bytes.value_or(0) > 0)
    opt("target_size_bytes", *request.target_size_bytes);
  if (request.target_size_ratio.value_or(0) > 0)
    opt("target_size_ratio", *request.target_size_ratio);
  if (request.bulk) pool.flags |= kBulkFlag;

  const int64_t last = d.inc.new_pool_max >= 0 ? d.inc.new_pool_max : d.now.pool_max;
  const PoolId id = last + 1;
  d.inc.new_pool_max = id;
  d.inc.new_pools[id] = pool;
  d.inc.new_pool_names[id] = request.name;
  return id;
}

Result<> may_delete_pool(const config::Config& config, const map::OSDMap& map, PoolId id) {
  const PgPool* pool = map.pool(id);
  if (pool && pool->has_flag(map::kPoolNoDelete))
    return fail(EPERM,
                "pool deletion is disabled; you must unset nodelete flag for the pool first");
  if (!config.mon_allow_pool_delete())
    return fail(EPERM,
                "pool deletion is disabled; you must first set the mon_allow_pool_delete config "
                "option to true before you can destroy a pool");
  return {};
}

// ---- osd pool set
// ---------------------------------------------------------------------------------

namespace {

struct Change {
  const config::Config& config;
  OsdDraft& d;
  PoolId id;
  const PgPool& pool;  ///< as it is
  const std::string& var;
  const std::string& value;
  bool sure;

  Result<int64_t> integer() const {
    const Result<int64_t> n = command::parse_int(value);
    if (n) return n;
    return fail(EINVAL, "error parsing integer value '" + value + "': " + n.error().text());
  }
};
using Setter = Result<> (*)(const Change&);

Result<> set_size(const Change& c) {
  if (c.pool.has_flag(map::kPoolNoSizeChange))
    return fail(
        EPERM, "pool size change is disabled; you must unset nosizechange flag for the pool first");
  TRY(n, c.integer());
  if (n < 1 || n > kMaxSize) return fail(EINVAL, "pool size must be between 1 and 10");
  if (n == 1) {
    if (!c.config.mon_allow_pool_size_one())
      return fail(EPERM, "configuring pool size as 1 is disabled by default.");
    if (!c.sure)
      return fail(EPERM,
                  "a pool of size 1 loses data with the first failing disk; pass "
                  "--yes-i-really-mean-it if that is what you want");
  }
  TRY_VOID(check_pg_count(c.config, c.d.now, c.id, c.pool.pg_num, static_cast<uint32_t>(n)));
  PgPool& p = c.d.edit_pool(c.id);
  p.size = static_cast<uint8_t>(n);
  p.min_size = std::min(p.min_size, p.size);
  return {};
}

Result<> set_min_size(const Change& c) {
  if (c.pool.has_flag(map::kPoolNoSizeChange))
    return fail(
        EPERM,
        "pool min size change is disabled; you must unset nosizechange flag for the pool first");
  TRY(n, c.integer());
  if (n < 1 || n > c.pool.size)
    return fail(EINVAL, fmt::format("pool min_size must be between 1 and size, which is set to {}",
                                    c.pool.size));
  c.d.edit_pool(c.id).min_size = static_cast<uint8_t>(n);
  return {};
}

Result<> set_pg_num(const Change& c) {
  if (c.pool.has_flag(map::kPoolNoPgChange))
    return fail(
        EPERM, "pool pg_num change is disabled; you must unset nopgchange flag for the pool first");
  TRY(n, c.integer());
  if (n <= 0 || n > static_cast<int64_t>(c.config.mon_max_pool_pg_num()))
    return fail(ERANGE,
                fmt::format("'pg_num' must be greater than 0 and less than or equal to {} (you "
                            "may adjust 'mon max pool pg num' for higher values)",
                            c.config.mon_max_pool_pg_num()));
  if (n == c.pool.pg_num) return {};
  return fail(EOPNOTSUPP,
              fmt::format("pool {} has {} PGs and keeps them: splitting and merging of PGs "
                          "is not supported",
                          c.d.now.pool_name(c.id), c.pool.pg_num));
}

Result<> set_pgp_num(const Change& c) {
  if (c.pool.has_flag(map::kPoolNoPgChange))
    return fail(
        EPERM,
        "pool pgp_num change is disabled; you must unset nopgchange flag for the pool first");
  TRY(n, c.integer());
  if (n <= 0) return fail(EINVAL, fmt::format("specified pgp_num must > 0, but you set to {}", n));
  if (n > c.pool.pg_num)
    return fail(EINVAL, fmt::format("specified pgp_num {} > pg_num {}", n, c.pool.pg_num));
  c.d.edit_pool(c.id).set_pgp_num(static_cast<uint32_t>(n));
  return {};
}

Result<> set_crush_rule(const Change& c) {
  const auto rule = c.d.now.crush->find_rule(c.value);
  if (!rule) return fail(ENOENT, "crush rule " + c.value + " does not exist");
  if (c.d.now.crush->rule(*rule)->type != c.pool.type)
    return fail(EINVAL, "crush rule " + c.value + " type does not match pool");
  c.d.edit_pool(c.id).crush_rule = static_cast<uint8_t>(*rule);
  return {};
}

Result<> set_flag(const Change& c) {
  const uint64_t flag = c.var == "bulk" ? kBulkFlag : map::pool_flag_from(c.var);
  const bool on = c.value == "true" || c.value == "1";
  if (!on && c.value != "false" && c.value != "0")
    return fail(EINVAL, "expecting value 'true', 'false', '0', or '1'");
  if (flag == map::kPoolHashPsPool && !c.sure)
    return fail(EPERM,
                "are you SURE?  this will remap all placement groups in this pool, this may "
                "trigger a lot of data movement; pass --yes-i-really-mean-it");
  PgPool& p = c.d.edit_pool(c.id);
  p.flags = on ? p.flags | flag : p.flags & ~flag;
  return {};
}

Result<> set_autoscale_mode(const Change& c) {
  TRY(mode, parse_autoscale(c.value));
  c.d.edit_pool(c.id).pg_autoscale_mode = mode;
  return {};
}

Result<> refuse_erasure(const Change& c) {
  return fail(EINVAL, c.var + " is for erasure coded pools only");
}

Result<> refuse_tier(const Change& c) {
  return fail(EOPNOTSUPP, c.var + " belongs to cache tiers, which are not supported");
}

Result<> check_option(const Change& c, const PoolOpts::Value& value) {
  if (c.var == "compression_mode" && c.value != "none" && c.value != "passive" &&
      c.value != "aggressive" && c.value != "force")
    return fail(EINVAL, "unrecognized compression mode '" + c.value + "'");
  const int64_t* n = std::get_if<int64_t>(&value);
  if (c.var == "recovery_priority" && n && (*n < -10 || *n > 10))
    return fail(EINVAL, "pool recovery_priority must be between -10 and 10");
  if (c.var == "pg_num_min" && n && (*n < 0 || *n > c.pool.pg_num))
    return fail(EINVAL, fmt::format("specified pg_num_min {} > pg_num {}", *n, c.pool.pg_num));
  if (c.var == "pg_num_max" && n && *n != 0 && *n < c.pool.pg_num)
    return fail(EINVAL, fmt::format("specified pg_num_max {} < pg_num {}", *n, c.pool.pg_num));
  if (const double* f = std::get_if<double>(&value); f && *f < 0)
    return fail(EINVAL, "'" + c.value + "' must not be negative");
  return {};
}

Result<> set_option(const Change& c) {
  const PoolOpts::Spec* spec = PoolOpts::find(c.var);
  if (!spec) return fail(EINVAL, "unrecognized variable '" + c.var + "'");
  PoolOpts::Value value = c.value;
  bool is_unset = c.value.empty() || c.value == "unset";
  if (spec->kind == 1) {
    const bool is_size = c.var.find("bytes") != std::string::npos;
    if (is_size) {
      const Result<uint64_t> n = config::parse_size(c.value);
      if (!n) return fail(EINVAL, "error parsing value '" + c.value + "': " + n.error().text());
      value = static_cast<int64_t>(*n);
    } else {
      TRY(n, c.integer());
      value = n;
    }
    is_unset = std::get<int64_t>(value) == 0;
  } else if (spec->kind == 2) {
    const Result<double> f = command::parse_real(c.value);
    if (!f)
      return fail(EINVAL,
                  "error parsing floating point value '" + c.value + "': " + f.error().text());
    value = *f;
    is_unset = *f == 0;
  }
  TRY_VOID(is_unset ? Result<>() : check_option(c, value));
  PgPool& p = c.d.edit_pool(c.id);
  if (is_unset)
    p.opts.values.erase(spec->key);
  else
    p.opts.values[spec->key] = std::move(value);
  return {};
}

Setter setter_of(const std::string& var) {
  if (var == "size") return set_size;
  if (var == "min_size") return set_min_size;
  if (var == "pg_num") return set_pg_num;
  if (var == "pgp_num" || var == "pgp_num_actual") return set_pgp_num;
  if (var == "crush_rule") return set_crush_rule;
  if (var == "pg_autoscale_mode") return set_autoscale_mode;
  if (var == "fast_read" || var == "allow_ec_overwrites") return refuse_erasure;
  if (var == "bulk" || map::pool_flag_from(var)) return set_flag;
  const bool is_tier = var.compare(0, 7, "hit_set") == 0 || var.compare(0, 5, "cache") == 0 ||
                       var.compare(0, 10, "target_max") == 0 || var == "use_gmt_hitset" ||
                       var.find("recency_for_promote") != std::string::npos;
  return is_tier ? refuse_tier : set_option;
}

}  // namespace

Result<std::string> set_pool_variable(const config::Config& config, OsdDraft& d, PoolId id,
                                      const std::string& var, const std::string& value, bool sure) {
  const PgPool* pool = d.now.pool(id);
  CHECK(pool);
  TRY_VOID(setter_of(var)(Change{config, d, id, *pool, var, value, sure}));
  return fmt::format("set pool {} {} to {}", id, var, value);
}

}  // namespace plimsoll::mon
