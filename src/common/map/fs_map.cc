// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/fs_map.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>

namespace plimsoll::map {

namespace json = boost::json;

namespace {

struct Feature {
  int bit;
  const char* name;
};
/// What the servers' on-disk format needs.
constexpr Feature kIncompat[] = {{1, "base v0.20"},
                                 {2, "client writeable ranges"},
                                 {3, "default file layouts on dirs"},
                                 {4, "dir inode in separate object"},
                                 {5, "mds uses versioned encoding"},
                                 {6, "dirfrag is stored in omap"},
                                 {8, "no anchor table"},
                                 {9, "file layout v2"},
                                 {10, "snaprealm v2"}};

}  // namespace

json::object dump_fs_map(const FSMap& m) {
  json::object incompat;
  for (const auto& f : kIncompat) incompat[fmt::format("feature_{}", f.bit)] = f.name;
  return {
      {"epoch", m.epoch},
      {"default_fscid", -1},
      {"compat", json::object{{"compat", json::object()},
                              {"ro_compat", json::object()},
                              {"incompat", std::move(incompat)}}},
      {"feature_flags", json::object{{"enable_multiple", true}, {"ever_enabled_multiple", true}}},
      {"standbys", json::array()},
      {"filesystems", json::array()}};
}

std::string print_fs_map(const FSMap& m) {
  std::string incompat;
  for (const auto& f : kIncompat) {
    if (!incompat.empty()) incompat += ',';
    incompat += fmt::format("{}={}", f.bit, f.name);
  }
  return fmt::format(
      "e{}\nenable_multiple, ever_enabled_multiple: 1,1\n"
      "default compat: compat={{}},rocompat={{}},incompat={{{}}}\nlegacy client fscid: -1\n \n"
      "No filesystems configured\n",
      m.epoch, incompat);
}

json::object dump_fs_map_summary(const FSMap& m) {
  return {{"epoch", m.epoch}, {"by_rank", json::array()}, {"up:standby", 0}};
}

}  // namespace plimsoll::map
