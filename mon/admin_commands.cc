// SPDX-License-Identifier: LGPL-2.1-or-later
// The monitor's own commands, over the admin socket and by tell.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "mon/commands/mon_info.h"
#include "mon/monitor.h"

namespace plimsoll::mon {

namespace json = boost::json;
using command::Args;
using command::Caller;
using command::CommandReply;

namespace {

json::object dump_addr(const EntityAddr& addr) {
  const char* type = addr.type == EntityAddr::kMsgr2 ? "v2" : "any";
  return {{"type", type},
          {"addr", fmt::format("{}:{}", addr.ip_text(), addr.port)},
          {"nonce", addr.nonce}};
}

json::array dump_sessions(const Sessions& sessions) {
  json::array out;
  sessions.for_each([&out](const messenger::Connection& c, const Session& s) {
    json::object o{{"name", c.peer().to_string()}, {"entity_name", s.entity}};
    o["addrs"] = json::object{{"addrvec", json::array{dump_addr(c.peer_addr())}}};
    o["socket_addr"] = dump_addr(c.peer_socket_addr());
    o["con_type"] = entity_type_name(c.auth().type);
    o["con_features"] = kFeatures;
    o["con_features_hex"] = fmt::format("{:x}", kFeatures);
    o["con_features_release"] = "luminous";
    o["open"] = c.is_open();
    o["caps"] = json::object{{"text", "allow *"}};
    o["authenticated"] = true;
    o["global_id"] = c.auth().global_id;
    o["global_id_status"] = "none";
    o["osd_epoch"] = s.osdmap_sent;
    o["remote_host"] = "";
    out.push_back(std::move(o));
  });
  return out;
}

}  // namespace

void Monitor::add_admin_commands() {
  command::DaemonTable& table = env_.admin.table();
  table.add("mon_status", "print the state of this monitor",
            command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(dump_mon_status(*services_, *sessions_), a.format());
            }));
  table.add("health", "print what is wrong with the cluster",
            command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(services_->health.dump(true), a.format());
            }));
  table.add("sessions", "list open sessions", command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(dump_sessions(*sessions_), a.format());
            }));
  table.add("ops", "list commands at work", command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(ops_.dump_running(), a.format());
            }));
  table.add("dump_historic_ops", "list the last finished commands",
            command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(ops_.dump_finished(), a.format());
            }));
}

}  // namespace plimsoll::mon
