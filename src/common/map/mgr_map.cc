// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/mgr_map.h"

#include <fmt/format.h>

#include "common/map/osd_map_dump.h"
#include "common/map/texts.h"

namespace plimsoll::map {

namespace json = boost::json;

namespace {

constexpr const char* kOptionTypes[] = {"uint",    "int",  "str",  "float", "bool",     "addr",
                                        "addrvec", "uuid", "size", "secs",  "millisecs"};
constexpr const char* kOptionLevels[] = {"basic", "advanced", "dev"};

json::array strings(const std::set<std::string>& set) {
  return json::array(set.begin(), set.end());
}

json::object dump_option(const MgrModuleOption& o) {
  return {{"name", o.name},
          {"type", o.type < std::size(kOptionTypes) ? kOptionTypes[o.type] : "unknown"},
          {"level", o.level < std::size(kOptionLevels) ? kOptionLevels[o.level] : "unknown"},
          {"flags", o.flags},
          {"default_value", o.default_value},
          {"min", o.min},
          {"max", o.max},
          {"enum_allowed", strings(o.enum_allowed)},
          {"desc", o.desc},
          {"long_desc", o.long_desc},
          {"tags", strings(o.tags)},
          {"see_also", strings(o.see_also)}};
}

json::array dump_modules(const std::vector<MgrModule>& modules) {
  json::array out;
  for (const auto& m : modules) {
    json::object options;
    for (const auto& [name, option] : m.options) options[name] = dump_option(option);
    out.push_back(json::object{{"name", m.name},
                               {"can_run", m.can_run},
                               {"error_string", m.error_string},
                               {"module_options", std::move(options)}});
  }
  return out;
}

std::string legacy_text(const EntityAddrVec& v) {
  for (const auto& a : v.addrs)
    if (a.type == EntityAddr::kLegacy) return a.ip_port_nonce();
  return v.addrs.empty() ? "(unrecognized address family 0)/0" : v.addrs[0].ip_port_nonce();
}

}  // namespace

json::object dump_mgr_map(const MgrMap& m) {
  json::array standbys, clients;
  json::object services, always_on;
  for (const auto& [gid, s] : m.standbys)
    standbys.push_back(json::object{{"gid", s.gid},
                                    {"name", s.name},
                                    {"mgr_features", s.features},
                                    {"available_modules", dump_modules(s.available_modules)}});
  for (const auto& [name, uri] : m.services) services[name] = uri;
  for (const auto& [release, modules] : m.always_on_modules)
    always_on[release_name(static_cast<uint8_t>(release))] = strings(modules);
  for (size_t i = 0; i < m.clients.size(); i++)
    clients.push_back(json::object{{"name", i < m.client_names.size() ? m.client_names[i] : ""},
                                   {"addrvec", dump_addrvec(m.clients[i])["addrvec"]}});
  return {{"epoch", m.epoch},
          {"active_gid", m.active_gid},
          {"active_name", m.active_name},
          {"active_addrs", dump_addrvec(m.active_addrs)},
          {"active_addr", legacy_text(m.active_addrs)},
          {"active_change", stamp_text(m.active_change)},
          {"active_mgr_features", m.active_mgr_features},
          {"available", m.available},
          {"standbys", std::move(standbys)},
          {"modules", strings(m.modules)},
          {"available_modules", dump_modules(m.available_modules)},
          {"services", std::move(services)},
          {"always_on_modules", std::move(always_on)},
          {"last_failure_osd_epoch", m.last_failure_osd_epoch},
          {"active_clients", std::move(clients)}};
}

}  // namespace plimsoll::map
