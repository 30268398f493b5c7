// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes of pools: create, delete, rename, set, quota, applications.
#include <fmt/format.h>

#include "common/config/option.h"
#include "mon/commands/support.h"
#include "mon/pool_edits.h"

namespace plimsoll::mon {
namespace {

using Text = Result<std::string>;
using map::PgPool;

constexpr size_t kMaxApplications = 4;
constexpr size_t kMaxApplicationKeys = 64;
constexpr size_t kMaxApplicationLength = 128;

Text create(CommandContext& c, const Args& a, OsdDraft& d) {
  PoolCreate r;
  r.name = a.str("pool");
  r.pg_num = a.opt_int("pg_num");
  r.pgp_num = a.opt_int("pgp_num");
  r.type = a.str_or("pool_type", "");
  r.rule = a.str_or("rule", "");
  // For replicated pools the word in the profile's place is the rule, as in `create p 8 8
  // replicated r`.
  if (r.rule.empty() && r.type != "erasure") r.rule = a.str_or("erasure_code_profile", "");
  r.expected_num_objects = a.opt_int("expected_num_objects");
  r.size = a.opt_int("size");
  r.pg_num_min = a.opt_int("pg_num_min");
  r.pg_num_max = a.opt_int("pg_num_max");
  r.autoscale_mode = a.str_or("autoscale_mode", "");
  r.bulk = a.flag("bulk");
  r.target_size_bytes = a.opt_int("target_size_bytes");
  r.target_size_ratio = a.opt_real("target_size_ratio");
  if (const auto id = d.now.find_pool(r.name)) {
    const bool is_replicated = d.now.pool(*id)->is_replicated();
    if (!r.type.empty() && (r.type == "replicated") != is_replicated)
      return fail(EINVAL, "pool '" + r.name + "' cannot change to type " + r.type);
    return "pool '" + r.name + "' already exists";
  }
  TRY(id, create_pool(c.services.config, c.services.runtime.clock().wall(), r, d));
  static_cast<void>(id);
  return "pool '" + r.name + "' created";
}

Text remove(CommandContext& c, const Args& a, OsdDraft& d) {
  const std::string name = a.str("pool");
  const auto id = d.now.find_pool(name);
  if (!id) return "pool '" + name + "' does not exist";
  const bool without_checks = a.flag("yes_i_really_really_mean_it_not_faking");
  const bool sure = a.flag("yes_i_really_really_mean_it") && a.str_or("pool2", "") == name;
  if (!without_checks && !sure)
    return fail(EPERM,
                "WARNING: this will *PERMANENTLY DESTROY* all data stored in pool " + name +
                    ".  If you are *ABSOLUTELY CERTAIN* that is what you want, pass the pool name "
                    "*twice*, followed by --yes-i-really-really-mean-it.");
  TRY_VOID(may_delete_pool(c.services.config, d.now, *id));
  d.remove_pool(*id);
  return "pool '" + name + "' removed";
}

Text rename(CommandContext&, const Args& a, OsdDraft& d) {
  const std::string from = a.str("srcpool"), to = a.str("destpool");
  const auto id = d.now.find_pool(from), other = d.now.find_pool(to);
  if (!id) {
    // A repeated request is a success.
    if (other)
      return "pool '" + from + "' does not exist; pool '" + to +
             "' does -- assuming successful rename";
    return fail(ENOENT, "unrecognized pool '" + from + "'");
  }
  if (other) return fail(EEXIST, "pool '" + to + "' already exists");
  if (to.empty()) return fail(EINVAL, "a pool needs a name");
  d.inc.new_pool_names[*id] = to;
  return "pool '" + from + "' renamed to '" + to + "'";
}

Text set(CommandContext& c, const Args& a, OsdDraft& d) {
  TRY(id, find_pool(d.now, a.str("pool")));
  return set_pool_variable(c.services.config, d, id, a.str("var"), a.str("val"),
                           a.flag("yes_i_really_mean_it"));
}

Text set_quota(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(id, find_pool(d.now, a.str("pool")));
  const std::string field = a.str("field"), text = a.str("val");
  uint64_t value = 0;
  if (field == "max_bytes") {
    const Result<uint64_t> n = config::parse_size(text);
    if (!n) return fail(EINVAL, "error parsing value '" + text + "': " + n.error().text());
    value = *n;
    d.edit_pool(id).quota_max_bytes = value;
  } else {
    const Result<int64_t> n = command::parse_int(text);
    if (!n || *n < 0) {
      const std::string why = n ? "it is negative" : n.error().text();
      return fail(EINVAL, "error parsing value '" + text + "': " + why);
    }
    value = static_cast<uint64_t>(*n);
    d.edit_pool(id).quota_max_objects = value;
  }
  return fmt::format("set-quota {} = {} for pool {}", field, value, a.str("pool"));
}

// ---- applications
// ---------------------------------------------------------------------------------

struct App {
  PoolId id;
  std::string pool, name;
  bool is_enabled;
};
Result<App> find_app(const Args& a, const OsdDraft& d) {
  const std::string pool = a.str("pool"), app = a.str("app");
  TRY(id, find_pool(d.now, pool));
  return App{id, pool, app, d.now.pool(id)->applications.count(app) != 0};
}

Text enable_app(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(app, find_app(a, d));
  const PgPool& p = *d.now.pool(app.id);
  if (app.name.empty() || app.name.size() > kMaxApplicationLength)
    return fail(EINVAL, fmt::format("application name '{}' is too long; max length {}", app.name,
                                    kMaxApplicationLength));
  if (!app.is_enabled && !p.applications.empty() && !a.flag("yes_i_really_mean_it"))
    return fail(EPERM, "Are you SURE? Pool '" + app.pool +
                           "' already has an enabled application; pass "
                           "--yes-i-really-mean-it to proceed anyway");
  if (!app.is_enabled && p.applications.size() >= kMaxApplications)
    return fail(EINVAL, fmt::format("too many enabled applications on pool '{}'; max {}", app.pool,
                                    kMaxApplications));
  if (!app.is_enabled) d.edit_pool(app.id).applications[app.name];
  return "enabled application '" + app.name + "' on pool '" + app.pool + "'";
}

Text disable_app(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(app, find_app(a, d));
  if (!a.flag("yes_i_really_mean_it"))
    return fail(EPERM,
                "Are you SURE? Disabling an application within a pool might result in loss of "
                "application functionality; pass --yes-i-really-mean-it to proceed anyway");
  if (!app.is_enabled)
    return "application '" + app.name + "' is not enabled on pool '" + app.pool + "'";
  d.edit_pool(app.id).applications.erase(app.name);
  return "disable application '" + app.name + "' on pool '" + app.pool + "'";
}

Text set_app(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(app, find_app(a, d));
  const std::string key = a.str("key"), value = a.str("value");
  const Error missing =
      fail(ENOENT, "application '" + app.name + "' is not enabled on pool '" + app.pool + "'");
  if (!app.is_enabled) return missing;
  if (key.empty() || key.size() > kMaxApplicationLength)
    return fail(EINVAL,
                fmt::format("key '{}' too long; max length {}", key, kMaxApplicationLength));
  if (value.size() > kMaxApplicationLength)
    return fail(EINVAL,
                fmt::format("value '{}' too long; max length {}", value, kMaxApplicationLength));
  const auto& now = d.now.pool(app.id)->applications.at(app.name);
  if (!now.count(key) && now.size() >= kMaxApplicationKeys)
    return fail(EINVAL, fmt::format("too many keys set for application '{}' on pool '{}'; max {}",
                                    app.name, app.pool, kMaxApplicationKeys));
  d.edit_pool(app.id).applications[app.name][key] = value;
  return fmt::format("set application '{}' key '{}' to '{}' on pool '{}'", app.name, key, value,
                     app.pool);
}

Text rm_app(CommandContext&, const Args& a, OsdDraft& d) {
  TRY(app, find_app(a, d));
  const std::string key = a.str("key");
  if (!app.is_enabled)
    return fail(ENOENT, "application '" + app.name + "' is not enabled on pool '" + app.pool + "'");
  if (!d.now.pool(app.id)->applications.at(app.name).count(key))
    return fmt::format("application '{}' on pool '{}' does not have key '{}'", app.name, app.pool,
                       key);
  d.edit_pool(app.id).applications[app.name].erase(key);
  return fmt::format("removed application '{}' key '{}' on pool '{}'", app.name, key, app.pool);
}

CommandReply no_snapshots(CommandContext&, const Args&) {
  return {-EOPNOTSUPP, "snapshots are not supported"};
}

const CommandRow kRows[] = {
    {"osd pool create name=pool,type=CephPoolname name=pg_num,type=CephInt,range=0,req=false "
     "name=pgp_num,type=CephInt,range=0,req=false "
     "name=pool_type,type=CephChoices,strings=replicated|erasure,req=false "
     "name=erasure_code_profile,type=CephString,req=false,goodchars=[A-Za-z0-9-_.] "
     "name=rule,type=CephString,req=false name=expected_num_objects,type=CephInt,range=0,req=false "
     "name=size,type=CephInt,range=0,req=false name=pg_num_min,type=CephInt,range=0,req=false "
     "name=pg_num_max,type=CephInt,range=0,req=false "
     "name=autoscale_mode,type=CephChoices,strings=on|off|warn,req=false "
     "name=bulk,type=CephBool,req=false name=target_size_bytes,type=CephInt,range=0,req=false "
     "name=target_size_ratio,type=CephFloat,range=0.0,req=false",
     "make a pool", "osd", "rw", 0, edits(create)},
    {"osd pool delete name=pool,type=CephPoolname name=pool2,type=CephPoolname,req=false "
     "name=yes_i_really_really_mean_it,type=CephBool,req=false "
     "name=yes_i_really_really_mean_it_not_faking,type=CephBool,req=false",
     "delete a pool and all its objects", "osd", "rw", command::kFlagDeprecated, edits(remove)},
    {"osd pool rm name=pool,type=CephPoolname name=pool2,type=CephPoolname,req=false "
     "name=yes_i_really_really_mean_it,type=CephBool,req=false "
     "name=yes_i_really_really_mean_it_not_faking,type=CephBool,req=false",
     "delete a pool and all its objects", "osd", "rw", 0, edits(remove)},
    {"osd pool rename name=srcpool,type=CephPoolname name=destpool,type=CephPoolname",
     "rename a pool", "osd", "rw", 0, edits(rename)},
    {"osd pool set name=pool,type=CephPoolname "
     "name=var,type=CephChoices,strings=size|min_size|pg_num|pgp_num|pgp_num_actual|crush_rule|"
     "hashpspool|nodelete|nopgchange|nosizechange|write_fadvise_dontneed|noscrub|nodeep-scrub|"
     "hit_set_type|hit_set_period|hit_set_count|hit_set_fpp|use_gmt_hitset|target_max_bytes|"
     "target_max_objects|cache_target_dirty_ratio|cache_target_dirty_high_ratio|"
     "cache_target_full_ratio|cache_min_flush_age|cache_min_evict_age|min_read_recency_for_promote|"
     "min_write_recency_for_promote|fast_read|hit_set_grade_decay_rate|hit_set_search_last_n|"
     "scrub_min_interval|scrub_max_interval|deep_scrub_interval|recovery_priority|"
     "recovery_op_priority|scrub_priority|compression_mode|compression_algorithm|"
     "compression_required_ratio|compression_max_blob_size|compression_min_blob_size|csum_type|"
     "csum_min_block|csum_max_block|allow_ec_overwrites|fingerprint_algorithm|pg_autoscale_mode|"
     "pg_autoscale_bias|pg_num_min|pg_num_max|target_size_bytes|target_size_ratio|dedup_tier|"
     "dedup_chunk_algorithm|dedup_cdc_chunk_size|bulk "
     "name=val,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false",
     "change a pool's setting", "osd", "rw", 0, edits(set)},
    {"osd pool set-quota name=pool,type=CephPoolname "
     "name=field,type=CephChoices,strings=max_objects|max_bytes name=val,type=CephString",
     "limit a pool's objects or bytes; 0 is no limit", "osd", "rw", 0, edits(set_quota)},
    {"osd pool application enable name=pool,type=CephPoolname "
     "name=app,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "say which application uses a pool", "osd", "rw", 0, edits(enable_app)},
    {"osd pool application disable name=pool,type=CephPoolname name=app,type=CephString "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "take an application off a pool", "osd", "rw", 0, edits(disable_app)},
    {"osd pool application set name=pool,type=CephPoolname name=app,type=CephString "
     "name=key,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=value,type=CephString,goodchars=[A-Za-z0-9-_.=]",
     "keep a value for an application of a pool", "osd", "rw", 0, edits(set_app)},
    {"osd pool application rm name=pool,type=CephPoolname name=app,type=CephString "
     "name=key,type=CephString",
     "remove a value of an application of a pool", "osd", "rw", 0, edits(rm_app)},
    {"osd pool mksnap name=pool,type=CephPoolname name=snap,type=CephString",
     "make a snapshot of a pool", "osd", "rw", 0, query(no_snapshots)},
    {"osd pool rmsnap name=pool,type=CephPoolname name=snap,type=CephString",
     "remove a snapshot of a pool", "osd", "rw", 0, query(no_snapshots)},
};

}  // namespace

void add_pool_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
