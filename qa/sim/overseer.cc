// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/overseer.h"

namespace plimsoll::sim {

void Overseer::begin(const std::string& name, OsdId osd) {
  full_.begin(name);
  maps_.begin(osd);
}

std::vector<std::string> Overseer::wrong() const {
  std::vector<std::string> out = full_.wrong();
  out.insert(out.end(), maps_.wrong().begin(), maps_.wrong().end());
  return out;
}

void Overseer::came_to(OsdId osd, PgId pg, const map::OSDMap& map) {
  full_.came_to(pg, map);
  maps_.came_to(osd, pg, map);
}

void Overseer::ordered(PgId pg, const osd::ClientOp& op, const map::OSDMap& map) {
  full_.ordered(pg, op, map);
}

}  // namespace plimsoll::sim
