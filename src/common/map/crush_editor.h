// SPDX-License-Identifier: LGPL-2.1-or-later
// CrushEditor: the steps that changes to a CRUSH map are made of. It works on a copy, which its
// user puts in place of the map when all went well. Between two steps weights are the sums of what
// is below, up to the roots; weight sets and shadow trees are right again after shadow().
#pragma once

#include "common/map/crush_map.h"

namespace plimsoll::map {

class CrushEditor {
 public:
  explicit CrushEditor(const CrushMap& map) : m_(map) {}
  CrushMap take() { return std::move(m_); }
  CrushMap& map() { return m_; }

  Result<CrushItem> new_bucket(std::string_view name, int type, BucketAlg alg,
                               std::optional<CrushItem> wanted = {});
  Result<> put(CrushItem into, CrushItem item, CrushWeight weight);
  Result<> take_out(CrushItem from, CrushItem item);
  Result<> set_weight(CrushItem in, CrushItem item, CrushWeight weight);
  Result<> put_at(CrushItem item, CrushWeight weight, const CrushLocation& location);
  Result<> take_out_everywhere(CrushItem item);
  /// Drops an item that nothing holds any more, with its name and class.
  void forget(CrushItem item);
  /// Entries of buckets in weight sets become the sums of what is below.
  void sum_weight_sets();
  /// Makes the shadow trees anew: the last step of every change.
  Result<> shadow();

 private:
  void propagate(CrushItem id);
  CrushItem shadow_of(CrushItem id, int class_id, const std::set<CrushItem>& used,
                      const std::map<int32_t, std::map<int32_t, int32_t>>& old);
  CrushMap m_;
};

}  // namespace plimsoll::map
