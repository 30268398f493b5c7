// SPDX-License-Identifier: LGPL-2.1-or-later
// `pg query`: everything that says what the PG is and why it does not serve.
#include "osd/pg/pg.h"

namespace plimsoll::osd {

namespace {

namespace json = boost::json;

json::array osd_array(const std::vector<OsdId>& osds) {
  json::array out;
  for (OsdId osd : osds) out.push_back(osd);
  return out;
}

json::array osd_text_array(const std::vector<OsdId>& osds) {
  json::array out;
  for (OsdId osd : osds) out.push_back(json::string(std::to_string(osd)));
  return out;
}

json::array dump_missing(const Missing& missing) {
  constexpr size_t kMost = 100;
  json::array out;
  for (const auto& [object, need] : missing) {
    if (out.size() == kMost) break;
    out.push_back(json::object{{"object", object.to_string()}, {"need", need.to_string()}});
  }
  return out;
}

}  // namespace

std::string Pg::state_path(PeeringState state) const {
  if (is_primary()) return std::string("Started/Primary/") + peering_state_name(state);
  return is_member() ? "Started/ReplicaActive" : "Started/Stray";
}

json::object Pg::dump_history(const PgInfo& info) const {
  const Interval& i = peering_.interval();
  // PGs are born with their pool and never split; a member that came late has a later epoch.
  Epoch created = info.created;
  for (const auto& [osd, other] : peering_.infos())
    if (other.created) created = std::min(created, other.created);
  return {{"epoch_created", created},
          {"epoch_pool_created", created},
          {"last_epoch_started", info.last_epoch_started},
          {"last_interval_started", info.last_epoch_started},
          {"last_epoch_clean", info.last_epoch_clean},
          {"last_interval_clean", info.last_epoch_clean},
          {"last_epoch_split", 0},
          {"last_epoch_marked_full", info.last_marked_full},
          {"same_up_since", same_up_since_},
          {"same_interval_since", i.since},
          {"same_primary_since", same_primary_since_},
          {"prior_readable_until_ub", 0}};
}

/// A copy's.
json::object Pg::dump_info(const PgInfo& info, const Missing& missing) const {
  Eversion complete = info.last_update;
  if (!missing.empty()) {
    Eversion first = Eversion{UINT64_MAX, UINT32_MAX};
    for (const auto& [object, need] : missing) first = std::min(first, need);
    complete = log_.tail();
    for (const LogEntry& entry : log_.entries())
      if (entry.version < first) complete = entry.version;
  }
  return {{"pgid", id_.to_string()},
          {"last_update", info.last_update.to_string()},
          {"last_complete", complete.to_string()},
          {"log_tail", info.log_tail.to_string()},
          {"last_user_version", info.last_update.version},
          {"last_backfill", !info.copying          ? "MAX"
                            : info.copied.is_min() ? "MIN"
                                                   : info.copied.to_string()},
          {"purged_snaps", json::array()},
          {"history", dump_history(info)},
          {"empty", int{info.last_update.version == 0}},
          {"dne", int{info.created == 0}},
          {"incomplete", int{info.copying}},
          {"last_epoch_started", info.last_epoch_started},
          {"hit_set_history",
           {{"current_last_update", Eversion().to_string()}, {"history", json::array()}}},
          {"num_missing", missing.size()}};
}

json::array Pg::dump_peers() const {
  static const Missing kNone;
  json::array peers;
  for (const auto& [osd, info] : peering_.infos()) {
    if (osd == host_.whoami()) continue;
    const auto lacks = peering_.missing().find(osd);
    const Missing& missing = lacks == peering_.missing().end() ? kNone : lacks->second;
    // While the PG serves, members follow the primary, so what they told in peering is outdated.
    PgInfo now = info;
    if (peering_.active()) {
      now = info_now();
      now.last_update = committed_;
      now.created = info.created;
    }
    json::object peer{{"peer", std::to_string(osd)}};
    for (auto& [key, value] : dump_info(now, missing)) peer[key] = std::move(value);
    if (!missing.empty()) peer["missing"] = dump_missing(missing);
    peers.push_back(std::move(peer));
  }
  return peers;
}

/// Objects under way between members; there is no backfill.
json::object Pg::dump_recovery() const {
  std::map<OsdId, json::array> pulls;
  json::array recovering, pushing, pulling;
  for (const auto& [transfer, source] : peering_.transfers()) {
    const std::string object = transfer.object.to_string();
    recovering.push_back(json::string(object));
    if (transfer.to == host_.whoami())
      pulls[source].push_back(json::object{{"object", object}});
    else
      pushing.push_back(json::object{{"object", object}, {"peer", std::to_string(transfer.to)}});
  }
  for (auto& [osd, objects] : pulls)
    pulling.push_back(
        json::object{{"pull_from", std::to_string(osd)}, {"pulls", std::move(objects)}});
  return {
      {"backfill_targets", json::array()},
      {"waiting_on_backfill", json::array()},
      {"last_backfill_started", "MIN"},
      {"backfill_info", {{"begin", "MIN"}, {"end", "MIN"}, {"objects", json::array()}}},
      {"peer_backfill_info", json::array()},
      {"backfills_in_flight", json::array()},
      {"recovering", std::move(recovering)},
      {"pg_backend", {{"pull_from_peer", std::move(pulling)}, {"pushing", std::move(pushing)}}}};
}

json::object Pg::dump_states() const {
  json::array history;
  for (const PastState& s : past_states_) {
    json::array states{{{"state", peering_state_name(s.state)},
                        {"enter", s.enter.to_string()},
                        {"exit", s.exit.to_string()}}};
    history.push_back(
        json::object{{"epoch", std::to_string(s.epoch)}, {"states", std::move(states)}});
  }
  return {{"pg", id_.to_string()},
          {"currently", state_path(peering_.state())},
          {"comment", peering_.why()},
          {"history", std::move(history)}};
}

json::object Pg::query() {
  const Interval& i = peering_.interval();
  const map::PgStat s = stat();
  json::object state{{"name", state_path(peering_.state())},
                     {"enter_time", state_entered_.to_string()},
                     {"might_have_unfound", json::array()},
                     {"recovery_progress", dump_recovery()}};
  const std::string why = peering_.why();
  if (!why.empty()) {
    state["comment"] = why;
    state["down_osds_we_would_probe"] = osd_array(i.down);
    state["peering_blocked_by"] = osd_array(peering_.blocked_by());
  }
  json::object started{{"name", "Started"}, {"enter_time", interval_began_.to_string()}};
  json::object info = dump_info(info_now(), missing_);
  info["stats"] = map::dump_pg_stat(s);
  json::object out{{"snap_trimq", "[]"},
                   {"snap_trimq_len", 0},
                   {"state", map::pg_state_text(s.state)},
                   {"epoch", map_ ? map_->epoch : 0},
                   {"interval_since", i.since},
                   {"up", osd_array(i.up)},
                   {"acting", osd_array(i.acting)},
                   {"home", osd_array(i.home)},
                   {"acting_recovery_backfill", osd_text_array(i.acting)},
                   {"info", std::move(info)},
                   {"peer_info", dump_peers()},
                   {"recovery_state", json::array{std::move(state), std::move(started)}},
                   {"held_ops", held_.size()},
                   {"writes_in_flight", in_flight_.size()},
                   {"agent_state", json::object{}}};
  if (!missing_.empty()) out["missing"] = dump_missing(missing_);
  return out;
}

}  // namespace plimsoll::osd
