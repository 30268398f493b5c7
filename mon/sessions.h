// SPDX-License-Identifier: LGPL-2.1-or-later
// Sessions: one per connection that is open, with its subscriptions. Every map change goes to those
// who subscribed at once: to one that has a base as incrementals, else as a full map. Changes of
// full and pause flags and of the blocklist also go to clients that asked for a map only once,
// since they must not go on with an old one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/messenger/messenger.h"
#include "common/msg/mon_messages.h"
#include "mon/services.h"

namespace plimsoll::mon {

struct Session {
  /// Most subscriptions; names beyond are ignored.
  static constexpr size_t kMaxSubscriptions = 32;
  /// Most commands at work; more are refused with EAGAIN.
  static constexpr size_t kMaxCommands = 64;

  messenger::Connection* connection = nullptr;
  Utime opened;
  std::map<std::string, msg::MMonSubscribe::Item> subscriptions;
  Epoch osdmap_sent = 0;  ///< newest map that went out here; 0: never asked
  std::map<std::string, std::string> config_sent;
  size_t commands = 0;
  OsdId osd = kNoOsd;  ///< of an OSD's session
  EntityAddr osd_addr;
  /// "client.admin": whom the peer was authenticated as.
  std::string entity;
};

class Sessions {
 public:
  explicit Sessions(Services& services);

  /// The connection's session, made on first use; only while handling what came over it.
  Session& of(const messenger::ConnectionRef& connection);
  /// Null once the connection is gone.
  Session* find(const messenger::ConnectionRef& connection);
  /// Forgets it; null where there was none.
  std::unique_ptr<Session> remove(messenger::Connection* connection);
  void close_all();

  void subscribe(Session& s, const msg::MMonSubscribe& m);
  void send_monmap(Session& s);
  void send_osdmap(Session& s, Epoch from);
  /// A new OSD map is in force.
  void publish_osdmap(const map::OSDMap& before);
  void publish_config();

  size_t size() const { return sessions_.size(); }
  template <class Fn>
  void for_each(Fn fn) const {
    for (const auto& [connection, s] : sessions_) fn(*connection, *s);
  }

 private:
  void push_osdmap(Session& s);
  void send_config(Session& s, bool always);
  void finish(Session& s, const std::string& what, uint64_t sent);

  Services& services_;
  std::map<messenger::ConnectionRef, std::unique_ptr<Session>, messenger::ConnectionOrder>
      sessions_;
};

/// "client.admin": whom the peer was authenticated as.
std::string entity_of(const messenger::Connection& connection);

/// Whether clients must hear of the step at once: full, pause or blocklist differ.
bool concerns_all_clients(const map::OSDMap& before, const map::OSDMap& after);

}  // namespace plimsoll::mon
