// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/rule.h"

namespace plimsoll::mover {

using map::CrushItem;

Domains::Domains(const map::CrushMap& crush, int32_t max_osd) {
  const auto roots = crush.roots();
  for (const auto& b : crush.buckets)
    if (b) by_type_[b->type].resize(max_osd, 0);
  std::vector<std::pair<int, CrushItem>> path;
  auto descend = [&](auto& self, CrushItem item) -> void {
    if (item >= 0) {
      if (item >= max_osd) return;
      for (const auto& [type, bucket] : path)
        if (CrushItem& at = by_type_[type][item]; at == 0) at = bucket;
      return;
    }
    const auto* b = crush.bucket(item);
    if (!b) return;
    path.emplace_back(b->type, item);
    for (CrushItem child : b->items) self(self, child);
    path.pop_back();
  };
  for (CrushItem root : roots) descend(descend, root);
}

CrushItem Domains::ancestor(OsdId osd, int type) const {
  const auto* all = ancestors(type);
  return all && osd >= 0 && static_cast<size_t>(osd) < all->size() ? (*all)[osd] : 0;
}

const std::vector<CrushItem>* Domains::ancestors(int type) const {
  const auto it = by_type_.find(type);
  return it == by_type_.end() ? nullptr : &it->second;
}

}  // namespace plimsoll::mover
