// SPDX-License-Identifier: LGPL-2.1-or-later
// MapCheck: maps only go forward, on every PG of every OSD, and an epoch is the same map for
// everybody, also when the monitor was killed in between: what anyone has seen stays.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::sim {

class MapCheck {
 public:
  /// An OSD starts; it may begin with an older map than it ended with.
  void begin(OsdId osd);
  void came_to(OsdId osd, PgId pg, const map::OSDMap& map);
  /// The newest that anybody came to.
  Epoch newest() const { return crcs_.empty() ? 0 : crcs_.rbegin()->first; }
  /// Every line begins with "maps: ".
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  std::map<OsdId, std::map<PgId, Epoch>> reached_;
  std::map<OsdId, Epoch> looked_at_;  ///< newest whose content was compared
  std::map<Epoch, uint32_t> crcs_;
  std::vector<std::string> wrong_;
};

}  // namespace plimsoll::sim
