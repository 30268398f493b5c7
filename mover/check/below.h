// SPDX-License-Identifier: LGPL-2.1-or-later
// Below: which devices hang below a bucket, with what weight and in which buckets on the way. One
// walk from the top; the checker's own way to look at CRUSH.
#pragma once

#include <unordered_map>
#include <vector>

#include "common/map/crush_map.h"
#include "common/wire/types.h"

namespace plimsoll::mover {

class Below {
 public:
  Below(const map::CrushMap& crush, map::CrushItem root);

  map::CrushItem root() const { return root_; }
  bool holds(OsdId osd) const { return stands_.count(osd) > 0; }
  /// 0 where it does not hang below the root.
  map::CrushWeight weight(OsdId osd) const;
  /// The topmost bucket of this type on the way to the device; 0 for none.
  map::CrushItem ancestor(OsdId osd, int type) const;
  std::vector<OsdId> devices() const;

 private:
  struct Stand {
    map::CrushWeight weight = 0;
    std::vector<std::pair<int, map::CrushItem>> way;  ///< type and bucket, from the top
  };
  void walk(const map::CrushMap& crush, map::CrushItem at, Stand& here);

  map::CrushItem root_;
  std::unordered_map<OsdId, Stand> stands_;
};

}  // namespace plimsoll::mover
