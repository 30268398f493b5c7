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

/// Counts buckets without regard to what earlier steps chose: of two plain choose steps the second
/// accepts no more buckets in all than it asks for in each branch. A device that is in `up` twice
/// counts once.
std::optional<std::string> MonitorView::breaks_step(int rule_id, const map::CrushStep& step,
                                                    int count, const std::vector<OsdId>& up) {
  const map::CrushMap& crush = *map_.crush;
  const bool leaf = step.op == CrushOp::kChooseleafFirstn || step.op == CrushOp::kChooseleafIndep;
  std::map<CrushItem, OsdId> buckets;
  for (const OsdId osd : up) {
    const CrushItem in = bucket_in(roots_of(rule_id), osd, step.arg2);
    if (in == 0) continue;
    const auto [it, added] = buckets.try_emplace(in, osd);
    if (leaf && !added && it->second != osd)
      return fmt::format("osd.{} and osd.{} are both in {} {}", it->second, osd,
                         crush.type_name(step.arg2), crush.item_name(in));
  }
  if (!leaf && static_cast<int>(buckets.size()) > count)
    return fmt::format("members are in {} {}s where a step chooses {}", buckets.size(),
                       crush.type_name(step.arg2), count);
  return std::nullopt;
}

std::optional<std::string> MonitorView::breaks_rule(int rule_id, int size,
                                                    const std::vector<OsdId>& up) {
  const map::CrushMap& crush = *map_.crush;
  CrushItem root = 0;
  int positions = 1;
  size_t at = 0;
  for (const map::CrushStep& step : crush.rule(rule_id)->steps) {
    if (step.op == CrushOp::kTake) {
      root = step.arg1;
      positions = 1;
    } else if (step.op == CrushOp::kEmit) {
      const Roots& roots = roots_of(rule_id);
      const auto taken = std::find_if(roots.begin(), roots.end(),
                                      [&](const Below& below) { return below.root() == root; });
      for (int i = 0; taken != roots.end() && i < positions && at < up.size(); i++, at++)
        if (!taken->holds(up[at]))
          return fmt::format("osd.{} at position {} is not below {}", up[at], at,
                             crush.item_name(root));
    } else if (step.op == CrushOp::kChooseFirstn || step.op == CrushOp::kChooseIndep ||
               step.op == CrushOp::kChooseleafFirstn || step.op == CrushOp::kChooseleafIndep) {
      const int count = step.arg1 > 0 ? step.arg1 : step.arg1 + size;
      positions *= count;
      if (step.arg2 == 0) continue;
      if (auto why = breaks_step(rule_id, step, count, up)) return why;
    }
  }
  return std::nullopt;
}

std::optional<std::string> MonitorView::breaks_weights(int rule_id, const std::vector<OsdId>& up) {
  for (const OsdId osd : up) {
    const Roots& roots = roots_of(rule_id);
    const bool weighs = std::any_of(roots.begin(), roots.end(),
                                    [&](const Below& root) { return root.weight(osd) > 0; });
    if (!weighs) return fmt::format("osd.{} has no weight below the rule's roots", osd);
    if (map_.weight(osd) == map::kOsdOut) return fmt::format("osd.{} is out", osd);
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
  if (auto why = breaks_weights(rule_id, up)) return why;
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
