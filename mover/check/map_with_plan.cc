// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/map_with_plan.h"

namespace plimsoll::mover {

namespace {

void set_entry(map::OSDMap& map, PgId pg, const map::UpmapItems& items) {
  if (items.empty())
    map.pg_upmap_items.erase(pg);
  else
    map.pg_upmap_items[pg] = items;
}

}  // namespace

map::OSDMap map_with_plan(map::OSDMap map, const Plan& plan) {
  for (const DeadEntry& dead : plan.dead_entries) set_entry(map, dead.pg, dead.cleaned);
  for (const Move& move : plan.moves) set_entry(map, move.pg, move.items_after);
  return map;
}

Bytes encoded_map_with_plan(const map::OSDMap& map, const Plan& plan) {
  ByteWriter w;
  encode(map_with_plan(map, plan), w);
  return w.take();
}

}  // namespace plimsoll::mover
