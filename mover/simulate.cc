// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/simulate.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::mover {

namespace {

std::string items_text(const map::UpmapItems& items) {
  std::string out;
  for (const auto& [from, to] : items) out += fmt::format(" {}->{}", from, to);
  return out.empty() ? " none" : out;
}

Result<> apply_to_map(const Move& m, map::OSDMap& map) {
  const std::string pg = m.pg.to_string();
  if (!map.pg_exists(m.pg)) return fail(EINVAL, fmt::format("PG {} does not exist", pg));
  for (OsdId osd : {m.from, m.to})
    if (!map.exists(osd)) return fail(EINVAL, fmt::format("PG {}: osd.{} does not exist", pg, osd));
  const auto entry = map.pg_upmap_items.find(m.pg);
  const auto items = entry == map.pg_upmap_items.end() ? map::UpmapItems() : entry->second;
  if (items != m.items_before)
    return fail(EINVAL, fmt::format("PG {} has the pg_upmap_items{}, the plan is made for{}", pg,
                                    items_text(items), items_text(m.items_before)));
  if (m.items_after.empty())
    map.pg_upmap_items.erase(m.pg);
  else
    map.pg_upmap_items[m.pg] = m.items_after;
  const std::vector<OsdId> up = map.raw_upmap(m.pg);
  const bool there = std::find(up.begin(), up.end(), m.to) != up.end();
  const bool gone = std::find(up.begin(), up.end(), m.from) == up.end();
  if (!there || !gone)
    return fail(EINVAL, fmt::format("PG {}: with its entry it would be on [{}], not on osd.{} "
                                    "instead of osd.{}",
                                    pg, fmt::join(up, ","), m.to, m.from));
  return {};
}

void take_allocation(OsdReport& from, OsdReport& to, PgId pg) {
  auto at = std::lower_bound(from.pg_allocated.begin(), from.pg_allocated.end(),
                             std::pair(pg, uint64_t{0}));
  if (at == from.pg_allocated.end() || at->first != pg) return;
  to.pg_allocated.insert(std::upper_bound(to.pg_allocated.begin(), to.pg_allocated.end(), *at),
                         *at);
  from.pg_allocated.erase(at);
}

void apply_to_reports(const Move& m, Dump& dump) {
  auto report = std::lower_bound(dump.pgs.begin(), dump.pgs.end(), m.pg,
                                 [](const PgReport& r, PgId pg) { return r.pgid < pg; });
  if (report != dump.pgs.end() && report->pgid == m.pg) {
    const auto acting = std::span(dump.acting).subspan(report->first_acting, report->num_acting);
    std::replace(acting.begin(), acting.end(), m.from, m.to);
  }
  OsdReport &from = dump.osds[m.from], &to = dump.osds[m.to];
  from.used -= std::min(from.used, m.bytes);
  from.used_data -= std::min(from.used_data, m.bytes);
  to.used += m.bytes;
  to.used_data += m.bytes;
  take_allocation(from, to, m.pg);
}

}  // namespace

Result<> apply_plan(const PlanFile& file, Dump& dump) {
  if (!file.fsid.is_zero() && !dump.map.fsid.is_zero() && file.fsid != dump.map.fsid)
    return fail(EINVAL, fmt::format("the plan is for cluster {}, this is {}", file.fsid.to_string(),
                                    dump.map.fsid.to_string()));
  for (const Move& m : file.plan.moves) {
    TRY_VOID(apply_to_map(m, dump.map));
    apply_to_reports(m, dump);
  }
  dump.map.epoch++;
  return {};
}

}  // namespace plimsoll::mover
