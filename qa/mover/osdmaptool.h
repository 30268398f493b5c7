// SPDX-License-Identifier: LGPL-2.1-or-later
// Stock osdmaptool as a judge of maps that we encode.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::mover {

class Osdmaptool {
 public:
  Osdmaptool();
  ~Osdmaptool();
  static bool is_installed();

  /// `--upmap-cleanup`: PGs whose entries it takes back, or a pair of them.
  std::set<PgId> cleanups(const map::OSDMap& map);
  /// `--mark-up-in --test-map-pgs-dump-all`: the up set of every PG with all OSDs up and in.
  std::map<PgId, std::vector<OsdId>> up_sets(const map::OSDMap& map);

 private:
  std::vector<std::string> run(const map::OSDMap& map, const std::string& arguments);
  std::string directory_;
};

}  // namespace plimsoll::mover
