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

json::object dump_info(PgId id, const PgInfo& info, size_t missing) {
  return {{"pgid", id.to_string()},
          {"last_update", info.last_update.to_string()},
          {"last_complete", info.last_update.to_string()},
          {"log_tail", info.log_tail.to_string()},
          {"history",
           {{"epoch_created", info.created},
            {"last_epoch_started", info.last_epoch_started},
            {"last_epoch_clean", info.last_epoch_clean}}},
          {"num_missing", missing}};
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

json::object Pg::query() {
  const Interval& i = peering_.interval();
  const map::PgStat s = stat();
  json::array peers;
  for (const auto& [osd, info] : peering_.infos()) {
    if (osd == host_.whoami()) continue;
    const auto lacks = peering_.missing().find(osd);
    const size_t n = lacks == peering_.missing().end() ? 0 : lacks->second.size();
    json::object peer = dump_info(id_, info, n);
    peer["peer"] = std::to_string(osd);
    if (n) peer["missing"] = dump_missing(lacks->second);
    peers.push_back(std::move(peer));
  }
  json::object state{
      {"name", std::string("Started/Primary/") + peering_state_name(peering_.state())},
      {"enter_time", s.last_change.to_string()}};
  const std::string why = peering_.why();
  if (!why.empty()) {
    state["comment"] = why;
    state["down_osds_we_would_probe"] = osd_array(i.down);
    state["peering_blocked_by"] = osd_array(peering_.blocked_by());
  }
  json::object info = dump_info(id_, info_now(), missing_.size());
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
                   {"peer_info", std::move(peers)},
                   {"recovery_state", json::array{std::move(state)}},
                   {"held_ops", held_.size()},
                   {"writes_in_flight", in_flight_.size()},
                   {"agent_state", json::object{}}};
  if (!missing_.empty()) out["missing"] = dump_missing(missing_);
  return out;
}

}  // namespace plimsoll::osd
