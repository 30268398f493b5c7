// SPDX-License-Identifier: LGPL-2.1-or-later
// What the ratios of a map mean, and what full OSDs mean for pools. Pure; monitors and OSDs must
// agree on it.
#pragma once

#include "common/map/osd_map.h"

namespace plimsoll::map {

inline constexpr uint32_t kOsdFullness = kOsdFull | kOsdBackfillFull | kOsdNearFull;

/// Fractions of an OSD's size, in ascending order.
struct FullRatios {
  double nearfull = 0;
  double backfillfull = 0;
  double full = 0;
  double failsafe = 0;
};
/// The ratios that count: each raised to the one below it; where none is set, the failsafe's.
FullRatios effective_ratios(const OSDMap& map, double failsafe);

/// One bit of kOsdFullness, or 0, for a use that is strictly above a ratio.
uint32_t fullness_of(const FullRatios& ratios, double used);

/// Puts into `inc` the pool flags that follow from the states of OSDs in `next` (`base` with `inc`
/// applied): one full OSD that a pool's rule can choose makes the pool full. The worst state wins;
/// a pool that is full by quota stays full.
void derive_pool_flags(const OSDMap& base, const OSDMap& next, Incremental& inc);

}  // namespace plimsoll::map
