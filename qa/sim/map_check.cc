// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/map_check.h"

#include <fmt/format.h>

namespace plimsoll::sim {

void MapCheck::begin(OsdId osd) {
  reached_.erase(osd);
  looked_at_.erase(osd);
}

void MapCheck::came_to(OsdId osd, PgId pg, const map::OSDMap& map) {
  Epoch& last = reached_[osd][pg];
  if (map.epoch < last)
    wrong_.push_back(fmt::format("maps: pg {} on osd.{} goes from epoch {} to {}", pg.to_string(),
                                 osd, last, map.epoch));
  last = map.epoch;
  if (std::exchange(looked_at_[osd], map.epoch) == map.epoch) return;
  ByteWriter w;
  encode(map, w);
  const uint32_t crc = map::full_map_crc(w.take());
  const auto [it, first] = crcs_.emplace(map.epoch, crc);
  if (it->second != crc)
    wrong_.push_back(fmt::format("maps: epoch {} of osd.{} is not that of others", map.epoch, osd));
}

}  // namespace plimsoll::sim
