// SPDX-License-Identifier: LGPL-2.1-or-later
// The monitor's own commands, over the admin socket and by tell.
#include <boost/json/array.hpp>

#include "mon/commands/mon_info.h"
#include "mon/monitor.h"

namespace plimsoll::mon {

namespace json = boost::json;
using command::Args;
using command::Caller;
using command::CommandReply;

namespace {

json::array dump_sessions(const Sessions& sessions) {
  json::array out;
  sessions.for_each([&out](const messenger::Connection& c, const Session& s) {
    json::object o{{"name", c.peer().to_string()}, {"entity_name", s.entity}};
    o["addrs"] = json::object{{"addrvec", json::array{json::object{{"type", "v2"},
                                                                   {"addr", c.peer_addr().ip_port_nonce()}}}}};
    o["socket_addr"] = c.peer_socket_addr().ip_port_nonce();
    o["con_type"] = entity_type_name(c.auth().type);
    o["con_features"] = kFeatures;
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
              return CommandReply::json(dump_mon_status(*services_), a.format());
            }));
  table.add("quorum_status", "print the state of the quorum",
            command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(dump_quorum_status(*services_), a.format());
            }));
  table.add("sessions", "list open sessions", command::sync<Caller>([this](Caller&, const Args& a) {
              return CommandReply::json(dump_sessions(*sessions_), a.format());
            }));
  const auto ops = command::sync<Caller>([](Caller&, const Args& a) {
    return CommandReply::json(json::object{{"ops", json::array()}, {"num_ops", 0}}, a.format());
  });
  table.add("ops", "list operations at work", ops);
}

}  // namespace plimsoll::mon
