// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/monitor_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "mover/check/rule_judge.h"

namespace plimsoll::mover {

namespace {

using map::CrushItem;
using map::CrushOp;

bool has(const std::vector<OsdId>& members, OsdId osd) {
  return std::find(members.begin(), members.end(), osd) != members.end();
}

/// The bucket of a type that holds the device below any root of the rule. All steps of a rule are
/// judged by all its roots, which is why rules whose takes share buckets accept no entry.
CrushItem bucket_in(const std::vector<Below>& roots, OsdId osd, int type) {
  for (const Below& root : roots)
    if (const CrushItem in = root.ancestor(osd, type)) return in;
  return 0;
}

}  // namespace

const MonitorView::Roots& MonitorView::roots_of(int rule_id) {
  const auto [it, added] = roots_.try_emplace(rule_id);
  if (!added) return it->second;
  std::set<CrushItem> taken;
  for (const map::CrushStep& step : map_.crush->rule(rule_id)->steps)
    if (step.op == CrushOp::kTake) taken.insert(step.arg1);
  for (const CrushItem root : taken) it->second.emplace_back(*map_.crush, root);
  return it->second;
}

/// Counts buckets per step, without regard to what earlier steps chose: the second of two plain
/// choose steps accepts as many buckets in all as it asks for in each branch.
std::optional<std::string> MonitorView::breaks_rule(int rule_id, int size,
                                                    const std::vector<OsdId>& up) {
  const map::CrushMap& crush = *map_.crush;
  for (const map::CrushStep& step : crush.rule(rule_id)->steps) {
    const bool leaf = step.op == CrushOp::kChooseleafFirstn || step.op == CrushOp::kChooseleafIndep;
    const bool plain = step.op == CrushOp::kChooseFirstn || step.op == CrushOp::kChooseIndep;
    if ((!leaf && !plain) || step.arg2 == 0) continue;
    std::set<CrushItem> buckets;
    for (const OsdId osd : up) {
      const CrushItem in = bucket_in(roots_of(rule_id), osd, step.arg2);
      if (in == 0) continue;
      if (!buckets.insert(in).second && leaf)
        return fmt::format("two members in {} {}", crush.type_name(step.arg2), crush.item_name(in));
    }
    const int most = step.arg1 > 0 ? step.arg1 : step.arg1 + size;
    if (plain && static_cast<int>(buckets.size()) > most)
      return fmt::format("members in {} {}s where a step chooses {}", buckets.size(),
                         crush.type_name(step.arg2), most);
  }
  return std::nullopt;
}

std::optional<std::string> MonitorView::drops(PgId pg) {
  const auto entry = map_.pg_upmap_items.find(pg);
  if (entry == map_.pg_upmap_items.end()) return std::nullopt;
  const map::PgPool* pool = map_.pool(pg.pool);
  if (!pool || pg.seed >= std::min(pool->pg_num, pool->pg_num_pending)) return "no such PG";
  const int rule_id = rule_of(*map_.crush, *pool);
  if (rule_id < 0) return "the pool has no rule";

  const std::vector<OsdId> raw = map_.raw(pg), up = map_.raw_upmap(pg);
  if (auto why = breaks_rule(rule_id, pool->size, up)) return why;
  for (const OsdId osd : up) {
    const Roots& roots = roots_of(rule_id);
    const bool weighs = std::any_of(roots.begin(), roots.end(),
                                    [&](const Below& root) { return root.weight(osd) > 0; });
    if (!weighs) return fmt::format("osd.{} has no weight below the rule's roots", osd);
    if (map_.weight(osd) == map::kOsdOut) return fmt::format("osd.{} is out", osd);
  }
  for (const auto& [from, to] : entry->second) {
    if (!has(raw, from)) return fmt::format("source osd.{} is not in CRUSH's answer", from);
    if (map_.is_valid(to) && map_.weight(to) == map::kOsdOut)
      return fmt::format("target osd.{} is out", to);
  }
  return std::nullopt;
}

std::optional<std::string> dead_pair(const map::UpmapItems& items, std::vector<OsdId> raw) {
  for (const auto& [from, to] : items) {
    const auto at = std::find(raw.begin(), raw.end(), from);
    if (at == raw.end()) return fmt::format("source osd.{} is not there any more", from);
    if (has(raw, to)) return fmt::format("target osd.{} is in the PG already", to);
    *at = to;
  }
  return std::nullopt;
}

}  // namespace plimsoll::mover
