// SPDX-License-Identifier: LGPL-2.1-or-later
// CRUSH: from (rule, x) to devices, bit for bit as every Ceph client computes it (wire.md 6.5-6.9).
// Pure integer arithmetic; the logarithm tables are computed from their definition at start.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/map/crush_map.h"

namespace plimsoll::map {

/// Runs a rule. `weights[osd]` is the in/out weight of each device (0x10000 = in); devices beyond
/// the span are out. At most `result_max` items; positions that could not be filled are kCrushNone
/// (indep) or missing (firstn). An unknown rule gives an empty vector.
std::vector<CrushItem> crush_do_rule(const CrushMap& map, int rule_id, uint32_t x, int result_max,
                                     std::span<const uint32_t> weights,
                                     const CrushChooseArgs* choose_args = nullptr);

/// 2^44 * log2(u + 1) in CRUSH's fixed point, u in [0, 0xffff]. Exposed for its check value test.
int64_t crush_ln(uint32_t u);

}  // namespace plimsoll::map
