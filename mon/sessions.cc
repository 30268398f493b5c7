// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/sessions.h"

#include <vector>

namespace plimsoll::mon {

using messenger::ConnectionRef;
using Item = msg::MMonSubscribe::Item;

Sessions::Sessions(Services& services) : services_(services) {}

Session& Sessions::of(const ConnectionRef& connection) {
  auto& s = sessions_[connection];
  if (!s) {
    s = std::make_unique<Session>();
    s->connection = connection.get();
    s->opened = services_.runtime.clock().wall();
    s->entity = entity_of(*connection);
  }
  return *s;
}

Session* Sessions::find(const ConnectionRef& connection) {
  const auto it = sessions_.find(connection);
  return it == sessions_.end() ? nullptr : it->second.get();
}

std::string entity_of(const messenger::Connection& connection) {
  const messenger::AuthResult& who = connection.auth();
  return std::string(entity_type_name(who.type)) + "." + who.id;
}

std::unique_ptr<Session> Sessions::remove(messenger::Connection* connection) {
  for (auto it = sessions_.begin(); it != sessions_.end(); ++it) {
    if (it->first.get() != connection) continue;
    std::unique_ptr<Session> s = std::move(it->second);
    sessions_.erase(it);
    return s;
  }
  return nullptr;
}

void Sessions::close_all() {
  for (const auto& [connection, _] : sessions_) connection->close();
  sessions_.clear();
}

void Sessions::subscribe(Session& s, const msg::MMonSubscribe& m) {
  for (const auto& [what, item] : m.what) {
    if (s.subscriptions.size() >= Session::kMaxSubscriptions && !s.subscriptions.count(what))
      continue;
    s.subscriptions[what] = item;
    if (what == "osdmap") {
      push_osdmap(s);
    } else if (what == "monmap") {
      if (item.start <= services_.monmap.epoch)
        send_monmap(s), finish(s, what, services_.monmap.epoch);
    } else if (what == "config") {
      send_config(s, true);
    } else if (what == "mgrmap" && item.start <= services_.mgrmap.epoch) {
      msg::MMgrMap reply;
      reply.map = services_.mgrmap;
      s.connection->send(msg::to_raw(reply));
      finish(s, what, services_.mgrmap.epoch);
    }
    // Maps that we do not have (mdsmap, fsmap, servicemap, ...) never change: nothing to send.
  }
}

/// What to wait for after `sent` went out.
void Sessions::finish(Session& s, const std::string& what, uint64_t sent) {
  const auto it = s.subscriptions.find(what);
  if (it == s.subscriptions.end()) return;
  if (it->second.flags & Item::kOneTime)
    s.subscriptions.erase(it);
  else
    it->second.start = sent + 1;
}

void Sessions::send_monmap(Session& s) {
  msg::MMonMap reply;
  reply.monmap = wire::to_bytes(services_.monmap);
  s.connection->send(msg::to_raw(reply));
}

// ---- osdmap
// ---------------------------------------------------------------------------------------

void Sessions::push_osdmap(Session& s) {
  const auto it = s.subscriptions.find("osdmap");
  if (it == s.subscriptions.end()) return;
  const Epoch newest = services_.osd.epoch();
  if (it->second.start > newest) {
    // It has all there is; what it has is the base of what it gets later.
    if (!s.osdmap_sent) s.osdmap_sent = newest;
    return;
  }
  send_osdmap(s, static_cast<Epoch>(it->second.start));
  finish(s, "osdmap", newest);
}

void Sessions::send_osdmap(Session& s, Epoch from) {
  const OsdMapStore& maps = services_.osd.maps();
  const Epoch newest = maps.newest();
  msg::MOSDMap m;
  m.fsid = services_.monmap.fsid;
  m.oldest_map = maps.oldest();
  m.newest_map = newest;
  s.osdmap_sent = newest;
  bool have_all = from > 0;
  for (Epoch e = from; e <= newest && have_all; e++) have_all = maps.incremental(e) != nullptr;
  if (!have_all) {
    m.oldest_map = newest;  // it jumps there
    m.maps[newest] = maps.newest_full();
    s.connection->send(msg::to_raw(m));
    return;
  }
  const auto most = static_cast<size_t>(services_.config.osd_map_message_max());
  for (Epoch e = from; e <= newest; e++) {
    m.incremental_maps[e] = *maps.incremental(e);
    if (m.incremental_maps.size() < most && e < newest) continue;
    s.connection->send(msg::to_raw(m));
    m.incremental_maps.clear();
  }
}

bool concerns_all_clients(const map::OSDMap& before, const map::OSDMap& after) {
  static constexpr uint32_t kFlags = map::kMapFull | map::kMapPauseRead | map::kMapPauseWrite;
  if ((before.flags & kFlags) != (after.flags & kFlags)) return true;
  if (!(before.blocklist == after.blocklist)) return true;
  for (const auto& [id, pool] : after.pools) {
    const map::PgPool* old = before.pool(id);
    if (old && old->has_flag(map::kPoolFull) != pool.has_flag(map::kPoolFull)) return true;
  }
  return false;
}

void Sessions::publish_osdmap(const map::OSDMap& before) {
  const bool to_all = concerns_all_clients(before, services_.osd.map());
  for (const auto& [_, s] : sessions_) {
    if (s->subscriptions.count("osdmap"))
      push_osdmap(*s);
    else if (to_all && s->osdmap_sent)
      send_osdmap(*s, s->osdmap_sent + 1);
  }
}

// ---- config
// ---------------------------------------------------------------------------------------

void Sessions::send_config(Session& s, bool always) {
  msg::MConfig m;
  for (const auto& [name, entry] : services_.settings.effective(s.entity))
    m.config[name] = entry.value;
  if (!always && m.config == s.config_sent) return;
  s.config_sent = m.config;
  s.connection->send(msg::to_raw(m));
}

void Sessions::publish_config() {
  for (const auto& [_, s] : sessions_)
    if (s->subscriptions.count("config")) send_config(*s, false);
}

}  // namespace plimsoll::mon
