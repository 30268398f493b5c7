// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/osd_membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/map/fullness.h"

namespace plimsoll::mon {

namespace {

std::string metadata_key(OsdId osd) {
  return fmt::format("osd_metadata/{:08x}", osd);
}

/// The first bucket above `osd` of a type that is not below the option's limit and has no OSD up.
bool whole_subtree_down(const map::OSDMap& map, OsdId osd, const std::string& limit_type) {
  const std::optional<int> limit = map.crush->find_type(limit_type);
  if (!limit) return false;
  for (auto item = map.crush->parent_of(osd); item; item = map.crush->parent_of(*item)) {
    if (map.crush->item_type(*item) < *limit) continue;
    const auto devices = map.crush->devices_under(*item);
    return std::none_of(devices.begin(), devices.end(), [&](OsdId o) { return map.is_up(o); });
  }
  return false;
}

}  // namespace

OsdMembership::OsdMembership(Runtime& runtime, const config::Config& config, OsdService& osd,
                             LogService& log)
    : runtime_(runtime), config_(config), osd_(osd), log_(log) {}

Task<Result<>> OsdMembership::load(Consensus& consensus) {
  CO_TRY(pairs, co_await consensus.list("osd_metadata/"));
  for (auto& [key, value] : pairs) {
    const auto osd = static_cast<OsdId>(std::stoul(key.substr(13), nullptr, 16));
    CO_TRY(data, wire::from_bytes<OsdMetadata>(Bytes::take(std::move(value)), "OSD metadata"));
    metadata_[osd] = std::move(data);
  }
  // An OSD that was up when the monitor stopped has the grace from now on to come back.
  for (OsdId osd : osd_.map().osds())
    if (osd_.map().is_up(osd))
      lost_[osd] = {osd_.map().client_addrs[osd].msgr2(), runtime_.clock().now(), false};
  watch_down_osds();
  co_return Result<>();
}

const OsdMetadata& OsdMembership::metadata(OsdId osd) const {
  static const OsdMetadata none;
  const auto it = metadata_.find(osd);
  return it == metadata_.end() ? none : it->second;
}

void OsdMembership::forget(OsdId osd, OsdDraft& draft) {
  draft.extra.erase(metadata_key(osd));
  metadata_.erase(osd);
  lost_.erase(osd);
}

std::optional<Duration> OsdMembership::down_for(OsdId osd) const {
  const auto it = down_since_.find(osd);
  if (it == down_since_.end()) return {};
  return runtime_.clock().now() - it->second;
}

// ---- boot
// -----------------------------------------------------------------------------------------

Task<Result<Epoch>> OsdMembership::boot(msg::MOsdBoot boot) {
  const EntityAddrVec addrs(boot.addr);
  const auto is_up_here = [&] {
    return osd_.map().is_up(boot.osd) && osd_.map().client_addrs[boot.osd] == addrs;
  };
  if (is_up_here()) co_return osd_.epoch();
  if (osd_.map().is_up(boot.osd)) {
    const EntityAddr old = osd_.map().client_addrs[boot.osd].msgr2();
    CO_TRY_VOID(co_await mark_down(boot.osd, old, "boots again", true));
  }
  bool marked = false;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    // OSDs repeat their boot until they see themselves up.
    if (d.now.is_up(boot.osd) && d.now.client_addrs[boot.osd] == addrs) return {};
    TRY_VOID(edit_boot(boot, d));
    marked = true;
    return {};
  };
  const Result<Epoch> epoch = co_await osd_.change(edit);
  if (!epoch || !marked) co_return epoch;
  metadata_[boot.osd] = metadata_of(boot);
  lost_.erase(boot.osd);
  down_since_.erase(boot.osd);
  log_.info(fmt::format("osd.{} {} boot", boot.osd, boot.addr.to_string()));
  co_return epoch;
}

Task<void> OsdMembership::report_fullness(msg::MOsdFullness m) {
  const EntityAddrVec addr(m.addr);
  const auto is_up_here = [&](const map::OSDMap& map) {
    return map.is_up(m.osd) && map.client_addrs[m.osd] == addr;
  };
  if (!is_up_here(osd_.map())) co_return;
  constexpr size_t kMaxReason = 256;
  m.reason.resize(std::min(m.reason.size(), kMaxReason));
  if (m.reason.empty() || !(m.state & map::kOsdFull))
    full_reasons_.erase(m.osd);
  else
    full_reasons_[m.osd] = m.reason;
  const uint32_t state = m.state & map::kOsdFullness;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    // Against what is pending: two reports may meet within one commit, and the later counts.
    if (!is_up_here(d.now) || (d.now.osd_state[m.osd] & map::kOsdFullness) == state) return {};
    d.set_state(m.osd, state, map::kOsdFullness & ~state);
    d.urgent = true;
    return {};
  };
  const Result<Epoch> changed = co_await osd_.change(edit);
  if (!changed)
    log_.warn(fmt::format("fullness of osd.{} was not noted: {}", m.osd, changed.error().text()));
}

Task<void> OsdMembership::join_pg(msg::MOsdPgJoin m) {
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    const auto unchanged = [&](OsdId osd) {
      const map::OsdInfo& info = d.base.osd_info[osd];
      return d.now.is_up(osd) == d.base.is_up(osd) && info.up_from <= m.since &&
             info.down_at <= m.since;
    };
    std::vector<OsdId> home = d.base.home(m.pg);
    if (!d.base.pg_exists(m.pg) || !d.now.pg_exists(m.pg) || home != m.home) return {};
    // Else the PG may be in another interval now, in which the newcomer does not get writes yet.
    if (m.epoch < osd_.moved()) return {};
    // A PG below min_size has members that are down; the newcomer may be who lets it do without.
    home.push_back(m.newcomer);
    for (const OsdId osd : home)
      if (!d.base.exists(osd) || !unchanged(osd)) return {};
    if (!d.base.is_up(m.newcomer)) return {};
    if (std::count(m.home.begin(), m.home.end(), m.newcomer)) return {};
    d.homes.joined[m.pg] = std::move(home);
    return {};
  };
  const Result<Epoch> joined = co_await osd_.change(edit);
  if (!joined)
    log_.warn(fmt::format("osd.{} is no member of pg {} yet: {}", m.newcomer, m.pg.to_string(),
                          joined.error().text()));
}

Task<void> OsdMembership::report_unreachable(OsdId reporter, msg::MOsdUnreachable m) {
  const map::OSDMap& map = osd_.map();
  if (!map.is_up(m.osd) || map.client_addrs[m.osd].msgr2() != m.addr || !map.is_up(reporter) ||
      reporter == m.osd)
    co_return;
  if (map.test_flag(map::kMapNoDown) || map.has_state(m.osd, map::kOsdNoDown)) co_return;
  const TimePoint now = runtime_.clock().now();
  Accused& accused = accused_[m.osd];
  if (accused.addr != m.addr) accused = {m.addr, {}};
  accused.by[reporter] = now;
  // One that refuses connections and has no session here is gone, unless we have just started: then
  // it may be about to start too. Of one that is merely silent more than one must say so, where
  // there are others.
  constexpr Duration kStarting = 5s;
  const auto lost = lost_.find(m.osd);
  const bool gone = m.refused && lost != lost_.end() &&
                    (lost->second.had_session || now - lost->second.since >= kStarting);
  const auto grace = std::chrono::seconds(config_.osd_heartbeat_grace());
  std::erase_if(accused.by, [&](const auto& by) { return now - by.second > grace; });
  if (!gone && !enough_reporters(m.osd, accused)) co_return;
  const std::string why =
      gone ? fmt::format("marked down: refuses connections (seen by osd.{})", reporter)
           : fmt::format("marked down after {} seconds of silence ({} reporters)", m.seconds,
                         accused.by.size());
  accused_.erase(m.osd);
  co_await mark_down(m.osd, m.addr, why);
}

/// Reporters are counted by subtrees, so that one host with a bad cable cannot call others down.
/// Where the OSDs are in too few subtrees for that each counts for itself.
bool OsdMembership::enough_reporters(OsdId osd, const Accused& accused) const {
  const map::OSDMap& map = osd_.map();
  const std::string level = config_.mon_osd_reporter_subtree_level();
  const size_t least = config_.mon_osd_min_down_reporters();
  std::set<std::string> all, reporting;
  size_t others = 0;
  for (const OsdId other : map.osds()) {
    if (other == osd || !map.is_up(other)) continue;
    others++;
    all.insert(map.crush->subtree_of(other, level));
    if (accused.by.contains(other)) reporting.insert(map.crush->subtree_of(other, level));
  }
  if (all.size() < least) return accused.by.size() >= std::min(least, others);
  return reporting.size() >= least;
}

/// What the OSD says of itself, and what its boot says besides: one address serves all.
OsdMetadata OsdMembership::metadata_of(const msg::MOsdBoot& boot) {
  OsdMetadata all = boot.metadata;
  for (const char* key : {"front_addr", "back_addr", "hb_front_addr", "hb_back_addr"})
    all[key] = boot.addr.to_string();
  all["default_device_class"] = boot.device_class;
  return all;
}

Result<> OsdMembership::edit_boot(const msg::MOsdBoot& boot, OsdDraft& d) {
  const OsdId osd = boot.osd;
  const std::string name = fmt::format("osd.{}", osd);
  if (osd < 0 || osd >= config_.mon_max_osd()) return fail(EINVAL, name + " is beyond mon_max_osd");
  if (boot.osd_uuid.is_zero()) return fail(EINVAL, name + " has no uuid");
  if (d.now.test_flag(map::kMapNoUp) || d.now.has_state(osd, map::kOsdNoUp))
    return fail(EPERM, name + " may not come up: noup is set");
  if (d.now.has_state(osd, map::kOsdDestroyed)) return fail(EPERM, name + " was destroyed");
  const OsdId other = d.now.find_osd(boot.osd_uuid);
  if (other != kNoOsd && other != osd)
    return fail(EEXIST, fmt::format("the store of {} is known as osd.{}", name, other));
  if (d.now.exists(osd) && !d.now.osd_uuid[osd].is_zero() && d.now.osd_uuid[osd] != boot.osd_uuid)
    return fail(EEXIST, name + " has another uuid");

  const bool is_new = !d.now.exists(osd) || d.now.has_state(osd, map::kOsdNew);
  if (osd >= d.now.max_osd) d.inc.new_max_osd = osd + 1;
  const EntityAddrVec addrs(boot.addr);
  d.inc.new_up_client[osd] = addrs;
  d.inc.new_up_cluster[osd] = addrs;
  d.inc.new_hb_back_up[osd] = addrs;
  d.inc.new_hb_front_up[osd] = addrs;
  d.inc.new_uuid[osd] = boot.osd_uuid;
  if (!d.inc.new_xinfo.count(osd) && d.now.is_valid(osd))
    d.inc.new_xinfo[osd] = d.now.osd_xinfo[osd];
  d.inc.new_xinfo[osd].features = 0x3f01cfbdfffdffff;
  d.inc.new_last_up_change = runtime_.clock().wall();
  // The interval in which it was surely clean begins with its last life.
  if (d.now.is_valid(osd) && d.now.osd_info[osd].up_from)
    d.inc.new_last_clean_interval[osd] = {d.now.osd_info[osd].up_from, d.now.osd_info[osd].down_at};

  const bool auto_out = d.now.has_state(osd, map::kOsdAutoOut);
  if (d.now.is_out(osd) && !d.now.test_flag(map::kMapNoIn) &&
      ((is_new && config_.mon_osd_auto_mark_new_in()) || config_.mon_osd_auto_mark_in() ||
       (auto_out && config_.mon_osd_auto_mark_auto_out_in()))) {
    const uint32_t old = d.now.is_valid(osd) ? d.now.osd_xinfo[osd].old_weight : 0;
    d.set_weight(osd, auto_out && old ? old : map::kOsdIn);
    d.inc.new_xinfo[osd].old_weight = 0;
    d.inc.new_last_in_change = runtime_.clock().wall();
  }
  TRY_VOID(place(boot, d));
  const uint32_t full = boot.fullness & map::kOsdFullness;
  if (d.now.is_valid(osd) && (d.now.osd_state[osd] & map::kOsdFullness) != full)
    d.set_state(osd, full, map::kOsdFullness & ~full);
  d.extra.put(metadata_key(osd), wire::to_bytes(metadata_of(boot)).to_string());
  d.urgent = true;
  return {};
}

Result<> OsdMembership::place(const msg::MOsdBoot& boot, OsdDraft& d) {
  map::CrushMap crush = *d.now.crush;
  const std::string name = fmt::format("osd.{}", boot.osd);
  const auto option = [&](const char* key) {
    const auto it = boot.metadata.find(key);
    return it == boot.metadata.end() ? std::string() : it->second;
  };
  map::CrushLocation location;
  if (const std::string text = option("crush_location"); !text.empty()) {
    std::vector<std::string> words;
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find_first_of(" ,;", at), text.size());
      if (end > at) words.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    TRY(parsed, map::parse_crush_location(words));
    location = std::move(parsed);
  } else {
    const std::string host = map::is_valid_crush_name(boot.host) ? boot.host : "localhost";
    location = {{"root", "default"}, {"host", host}};
  }
  double weight = static_cast<double>(boot.total_bytes) / (1ull << 40);
  // A weight of zero in 16.16 would keep a tiny OSD empty for ever.
  weight = std::max(weight, 1.0 / map::kCrushOne);
  if (const std::string initial = option("osd_crush_initial_weight"); !initial.empty()) {
    const double wanted = std::strtod(initial.c_str(), nullptr);
    if (wanted >= 0) weight = wanted;
  }
  // An OSD that does not want to be placed does not say where.
  if (boot.metadata.count("crush_location"))
    TRY_VOID(crush.create_or_move(boot.osd, name, weight, location));
  if (!boot.device_class.empty() && crush.class_of(boot.osd).empty() && crush.find_item(name))
    TRY_VOID(crush.set_device_class(boot.osd, boot.device_class));
  if (!(crush == *d.now.crush)) d.inc.set_crush(crush);
  return {};
}

// ---- down and out
// ---------------------------------------------------------------------------------

Task<Result<Epoch>> OsdMembership::mark_down(OsdId osd, EntityAddr addr, std::string why,
                                             bool for_a_moment) {
  bool marked = false;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    if (!d.now.is_up(osd) || d.now.client_addrs[osd].msgr2() != addr) return {};
    d.set_state(osd, 0, map::kOsdUp);
    if (for_a_moment) d.homes.staying.insert(osd);
    map::OsdXinfo xinfo = d.now.osd_xinfo[osd];
    xinfo.down_stamp = runtime_.clock().wall();
    d.inc.new_xinfo[osd] = xinfo;
    d.inc.new_last_up_change = xinfo.down_stamp;
    d.urgent = true;
    marked = true;
    return {};
  };
  const Result<Epoch> epoch = co_await osd_.change(edit);
  if (epoch && marked) {
    lost_.erase(osd);
    down_since_[osd] = runtime_.clock().now();
    log_.info(fmt::format("osd.{} {}", osd, why));
  }
  co_return epoch;
}

void OsdMembership::session_opened(OsdId osd, EntityAddr addr) {
  sessions_[osd] = addr;
  const auto it = lost_.find(osd);
  if (it != lost_.end() && it->second.addr == addr) lost_.erase(it);
}

void OsdMembership::session_lost(OsdId osd, EntityAddr addr) {
  const auto it = sessions_.find(osd);
  if (it == sessions_.end() || it->second != addr) return;  // A newer incarnation is here.
  sessions_.erase(it);
  lost_[osd] = {addr, runtime_.clock().now(), true};
}

Task<void> OsdMembership::tick() {
  watch_down_osds();
  co_await mark_lost_down();
  co_await mark_old_out();
  co_await expire_blocklist();
}

void OsdMembership::watch_down_osds() {
  const map::OSDMap& map = osd_.map();
  std::erase_if(down_since_,
                [&](const auto& d) { return !map.exists(d.first) || map.is_up(d.first); });
  for (OsdId osd : map.osds())
    if (map.is_down(osd)) down_since_.try_emplace(osd, runtime_.clock().now());
}

Task<void> OsdMembership::mark_lost_down() {
  const Duration grace = std::chrono::seconds(config_.osd_heartbeat_grace());
  const TimePoint now = runtime_.clock().now();
  const std::map<OsdId, Lost> lost = lost_;
  for (const auto& [osd, l] : lost) {
    const map::OSDMap& map = osd_.map();
    if (!map.is_up(osd) || map.client_addrs[osd].msgr2() != l.addr) {
      lost_.erase(osd);
      continue;
    }
    if (now - l.since < grace || map.test_flag(map::kMapNoDown) ||
        map.has_state(osd, map::kOsdNoDown))
      continue;
    const std::string why =
        fmt::format("marked down after no session for {} seconds",
                    std::chrono::duration_cast<std::chrono::seconds>(now - l.since).count());
    const Result<Epoch> down = co_await mark_down(osd, l.addr, why);
    if (!down) co_return;  // The next tick tries again.
  }
}

bool OsdMembership::may_mark_out(OsdId osd, const map::OSDMap& map) const {
  if (map.is_up(osd) || map.is_out(osd) || map.has_state(osd, map::kOsdNoOut)) return false;
  const int all = map.num_osds();
  const double in_ratio = all ? static_cast<double>(map.num_in_osds()) / all : 0;
  if (in_ratio < config_.mon_osd_min_in_ratio()) return false;
  return !whole_subtree_down(map, osd, config_.mon_osd_down_out_subtree_limit());
}

Task<void> OsdMembership::mark_old_out() {
  const auto interval = std::chrono::seconds(config_.mon_osd_down_out_interval());
  if (interval == 0s || osd_.map().test_flag(map::kMapNoOut)) co_return;
  const TimePoint now = runtime_.clock().now();
  const std::map<OsdId, TimePoint> down = down_since_;
  for (const auto& [osd, since] : down) {
    if (now - since < interval || !may_mark_out(osd, osd_.map())) continue;
    const OsdService::Edit edit = [this, osd = osd](OsdDraft& d) -> Result<> {
      if (!may_mark_out(osd, d.now)) return {};
      map::OsdXinfo xinfo = d.now.osd_xinfo[osd];
      xinfo.old_weight = d.now.weight(osd);
      d.inc.new_xinfo[osd] = xinfo;
      d.set_weight(osd, map::kOsdOut);
      d.set_state(osd, map::kOsdAutoOut, 0);
      d.inc.new_last_in_change = runtime_.clock().wall();
      return {};
    };
    const Result<Epoch> out = co_await osd_.change(edit);
    if (!out) co_return;
    log_.info(fmt::format("Marking osd.{} out (has been down for {} seconds)", osd,
                          std::chrono::duration_cast<std::chrono::seconds>(now - since).count()));
  }
}

Task<void> OsdMembership::expire_blocklist() {
  const Utime now = runtime_.clock().wall();
  const auto expired = [now](const map::Blocklist::value_type& e) { return e.second < now; };
  const map::Blocklist& list = osd_.map().blocklist;
  if (std::none_of(list.begin(), list.end(), expired)) co_return;
  const OsdService::Edit edit = [now](OsdDraft& d) -> Result<> {
    for (const auto& [addr, until] : d.now.blocklist)
      if (until < now) d.inc.old_blocklist.push_back(addr);
    return {};
  };
  const Result<Epoch> done = co_await osd_.change(edit);
  static_cast<void>(done);  // The next tick tries again.
}

}  // namespace plimsoll::mon
