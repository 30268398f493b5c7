// SPDX-License-Identifier: LGPL-2.1-or-later
// The MgrMap (wire.md 3.2). Our monitors answer for the manager, so the map is empty and clients
// connect to none; what a real one carries is decoded for tests and tools.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::map {

struct MgrModuleOption {
  static constexpr wire::Envelope kEnvelope{1, 1};
  std::string name;
  uint8_t type = 0;
  uint8_t level = 0;
  uint32_t flags = 0;
  std::string default_value, min, max;
  std::set<std::string> enum_allowed;
  std::string desc, long_desc;
  std::set<std::string> tags, see_also;
  template <class F>
  void fields(F& f) {
    f("name", name);
    f("type", type);
    f("level", level);
    f("flags", flags);
    f("default_value", default_value);
    f("min", min);
    f("max", max);
    f("enum_allowed", enum_allowed);
    f("desc", desc);
    f("long_desc", long_desc);
    f("tags", tags);
    f("see_also", see_also);
  }
  bool operator==(const MgrModuleOption&) const = default;
};

struct MgrModule {
  static constexpr wire::Envelope kEnvelope{2, 1};
  std::string name;
  bool can_run = true;
  std::string error_string;
  std::map<std::string, MgrModuleOption> options;
  template <class F>
  void fields(F& f) {
    f("name", name);
    f("can_run", can_run);
    f("error_string", error_string);
    f("module_options", options, 2);
  }
  bool operator==(const MgrModule&) const = default;
};

struct MgrStandby {
  static constexpr wire::Envelope kEnvelope{4, 1};
  uint64_t gid = 0;
  std::string name;
  std::set<std::string> old_modules;
  std::vector<MgrModule> available_modules;
  uint64_t features = 0;
  template <class F>
  void fields(F& f) {
    f("gid", gid);
    f("name", name);
    f("old_modules", old_modules, 2);
    f("available_modules", available_modules, 3);
    f("mgr_features", features, 4);
  }
  bool operator==(const MgrStandby&) const = default;
};

struct MgrMap {
  static constexpr wire::Envelope kEnvelope{12, 6};
  Epoch epoch = 1;
  EntityAddrVec active_addrs;
  uint64_t active_gid = 0;
  bool available = false;
  std::string active_name;
  std::map<uint64_t, MgrStandby> standbys;
  std::set<std::string> modules;
  std::map<std::string, std::string> services;
  std::vector<MgrModule> available_modules;
  Utime active_change;
  std::map<uint32_t, std::set<std::string>> always_on_modules;
  uint64_t active_mgr_features = 0;
  Epoch last_failure_osd_epoch = 0;
  std::vector<EntityAddrVec> clients;
  std::vector<std::string> client_names;

  template <class F>
  void fields(F& f) {
    f("epoch", epoch);
    f("active_addrs", active_addrs);
    f("active_gid", active_gid);
    f("available", available);
    f("active_name", active_name);
    f("standbys", standbys);
    f("modules", modules, 2);
    f("services", services, 3);
    f("available_modules", available_modules, 4);
    f("active_change", active_change, 5);
    f("always_on_modules", always_on_modules, 7);
    f("active_mgr_features", active_mgr_features, 8);
    f("last_failure_osd_epoch", last_failure_osd_epoch, 9);
    f("clients", clients, 11);
    f("client_names", client_names, 12);
  }
  bool operator==(const MgrMap&) const = default;
};

/// `mgr dump -f json`
boost::json::object dump_mgr_map(const MgrMap& map);

}  // namespace plimsoll::map
