// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/check/below.h"

#include <algorithm>

namespace plimsoll::mover {

Below::Below(const map::CrushMap& crush, map::CrushItem root) : root_(root) {
  Stand top;
  walk(crush, root, top);
}

void Below::walk(const map::CrushMap& crush, map::CrushItem at, Stand& here) {
  const map::CrushBucket* bucket = crush.bucket(at);
  if (!bucket) return;
  here.way.emplace_back(bucket->type, at);
  for (size_t i = 0; i < bucket->items.size(); i++) {
    const map::CrushItem item = bucket->items[i];
    if (item >= 0)
      stands_.try_emplace(item, Stand{bucket->weights[i], here.way});
    else
      walk(crush, item, here);
  }
  here.way.pop_back();
}

map::CrushWeight Below::weight(OsdId osd) const {
  const auto it = stands_.find(osd);
  return it == stands_.end() ? 0 : it->second.weight;
}

map::CrushItem Below::ancestor(OsdId osd, int type) const {
  const auto it = stands_.find(osd);
  if (it == stands_.end()) return 0;
  for (const auto& [of_type, bucket] : it->second.way)
    if (of_type == type) return bucket;
  return 0;
}

std::vector<OsdId> Below::devices() const {
  std::vector<OsdId> out;
  for (const auto& [osd, stand] : stands_) out.push_back(osd);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace plimsoll::mover
