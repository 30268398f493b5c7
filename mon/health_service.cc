// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/health_service.h"

#include <fmt/format.h>

namespace plimsoll::mon {

namespace json = boost::json;

static constexpr char kMutesKey[] = "health/mutes";

HealthService::HealthService(Runtime& runtime, const config::Config& config, Consensus& consensus,
                             const OsdService& osd, const StatsService& stats,
                             const OsdMembership& membership, LogService& log)
    : runtime_(runtime),
      config_(config),
      consensus_(consensus),
      osd_(osd),
      stats_(stats),
      membership_(membership),
      log_(log) {}

Task<Result<>> HealthService::load() {
  CO_TRY(stored, co_await consensus_.get(kMutesKey));
  if (stored) {
    using Mutes = std::map<std::string, Mute>;
    CO_TRY(mutes, wire::from_bytes<Mutes>(Bytes::take(std::move(*stored)), "health mutes"));
    mutes_ = std::move(mutes);
  }
  co_return Result<>();
}

HealthOptions HealthService::options() const {
  HealthOptions o;
  o.pool_default_size = config_.osd_pool_default_size();
  o.warn_on_pool_no_redundancy = config_.mon_warn_on_pool_no_redundancy();
  o.warn_on_pool_no_app = config_.mon_warn_on_pool_no_app();
  o.down_out_interval = config_.mon_osd_down_out_interval();
  o.warn_on_down_out_interval_zero = config_.mon_warn_on_osd_down_out_interval_zero();
  o.stuck_threshold = config_.mon_pg_stuck_threshold();
  o.failsafe_full_ratio = config_.osd_failsafe_full_ratio();
  o.max_pg_per_osd = config_.mon_max_pg_per_osd();
  o.max_detail = config_.mon_health_max_detail();
  return o;
}

void HealthService::refresh() {
  const HealthOptions opts = options();
  HealthInput in{osd_.map(),       stats_.pg_map(),      opts, runtime_.clock().wall(),
                 config_.who().id, membership_.full_reasons()};
  HealthChecks before = std::exchange(checks_, compute_health(in));
  log_changes(before);
}

void HealthService::log_changes(const HealthChecks& before) {
  if (!config_.mon_health_to_clog() || before == checks_) return;
  const auto say = [&](Severity s, std::string text) {
    if (s == Severity::kErr)
      log_.error(std::move(text));
    else
      log_.warn(std::move(text));
  };
  for (const auto& [code, check] : checks_) {
    const auto old = before.find(code);
    if (old == before.end())
      say(check.severity, fmt::format("Health check failed: {} ({})", check.summary, code));
    else if (old->second.summary != check.summary || old->second.severity != check.severity)
      say(check.severity, fmt::format("Health check update: {} ({})", check.summary, code));
  }
  for (const auto& [code, check] : before)
    if (!checks_.count(code))
      log_.info(fmt::format("Health check cleared: {} (was: {})", code, check.summary));
  if (checks_.empty() && !before.empty()) log_.info("Cluster is now healthy");
}

Severity HealthService::status() const {
  Severity worst = Severity::kOk;
  for (const auto& [code, check] : checks_)
    if (!is_muted(code)) worst = std::max(worst, check.severity);
  return worst;
}

// ---- mutes
// ----------------------------------------------------------------------------------------

Task<void> HealthService::tick() {
  refresh();
  std::map<std::string, Mute> left = mutes_;
  const Utime now = runtime_.clock().wall();
  std::erase_if(left, [&](const auto& m) {
    const auto& [code, mute] = m;
    if (!mute.until.is_zero() && mute.until < now) return true;
    if (mute.sticky) return false;
    const auto check = checks_.find(code);
    return check == checks_.end() || check->second.count > mute.count;
  });
  if (left.size() == mutes_.size()) co_return;
  const Result<> saved = co_await save_mutes(std::move(left));
  static_cast<void>(saved);  // The next tick tries again.
}

Task<Result<>> HealthService::mute(std::string code, std::optional<double> seconds, bool sticky) {
  const auto check = checks_.find(code);
  if (check == checks_.end() && !sticky)
    co_return fail(ENOENT, "health alert " + code + " is not currently raised");
  Mute mute;
  mute.sticky = sticky;
  if (check != checks_.end()) {
    mute.summary = check->second.summary;
    mute.count = check->second.count;
  }
  if (seconds)
    mute.until =
        Utime::from_nanos(runtime_.clock().wall().nanos() + static_cast<int64_t>(*seconds * 1e9));
  std::map<std::string, Mute> all = mutes_;
  all[code] = std::move(mute);
  co_return co_await save_mutes(std::move(all));
}

Task<Result<>> HealthService::unmute(std::string code) {
  std::map<std::string, Mute> all = mutes_;
  if (code.empty())
    all.clear();
  else
    all.erase(code);
  co_return co_await save_mutes(std::move(all));
}

Task<Result<>> HealthService::save_mutes(std::map<std::string, Mute> mutes) {
  KvBatch batch;
  batch.put(kMutesKey, wire::to_bytes(mutes).to_string());
  CO_TRY(version, co_await consensus_.propose(std::move(batch)));
  static_cast<void>(version);
  mutes_ = std::move(mutes);
  co_return Result<>();
}

// ---- output
// ---------------------------------------------------------------------------------------

json::object HealthService::dump(bool detail) const {
  json::object checks;
  for (const auto& [code, check] : checks_) {
    json::object c;
    c["severity"] = severity_name(check.severity);
    c["summary"] = json::object{{"message", check.summary}, {"count", check.count}};
    if (detail) {
      json::array lines;
      for (const auto& d : check.details) lines.push_back(json::object{{"message", d}});
      c["detail"] = std::move(lines);
    }
    c["muted"] = is_muted(code);
    checks[code] = std::move(c);
  }
  json::array mutes;
  for (const auto& [code, mute] : mutes_) {
    json::object m{{"code", code}};
    if (!mute.until.is_zero()) m["ttl"] = mute.until.to_string();
    m["sticky"] = mute.sticky;
    m["summary"] = mute.summary;
    m["count"] = mute.count;
    mutes.push_back(std::move(m));
  }
  return {{"status", severity_name(status())},
          {"checks", std::move(checks)},
          {"mutes", std::move(mutes)}};
}

std::string HealthService::mutes_text() const {
  std::string codes;
  for (const auto& [code, _] : mutes_) codes += " " + code;
  return codes.empty() ? "" : "(muted:" + codes + ")";
}

std::string HealthService::text(bool detail) const {
  std::string line = severity_name(status());
  std::string sep = " ";
  for (const auto& [code, check] : checks_) {
    if (is_muted(code)) continue;
    line += sep + check.summary;
    sep = "; ";
  }
  if (!mutes_.empty()) line += " " + mutes_text();
  line += "\n";
  if (!detail) return line;
  for (const auto& [code, check] : checks_) {
    const auto mute = mutes_.find(code);
    std::string note;
    if (mute != mutes_.end()) note = mute->second.sticky ? "(MUTED, STICKY) " : "(MUTED) ";
    line += fmt::format("{}[{}] {}: {}\n", note, check.severity == Severity::kErr ? "ERR" : "WRN",
                        code, check.summary);
    for (const auto& d : check.details) line += "    " + d + "\n";
  }
  return line;
}

}  // namespace plimsoll::mon
