// SPDX-License-Identifier: LGPL-2.1-or-later
// Waves: an order of moves in which no device passes its cap. A wave's data all arrives before
// anything of it is deleted; deletions of earlier waves have happened.
#pragma once

#include <cstdint>
#include <vector>

#include "mover/plan/plan.h"

namespace plimsoll::mover {

struct WaveLimits {
  std::vector<uint64_t> level;  ///< use of each device before the first wave, in-flight data come
  std::vector<uint64_t> cap;    ///< most that a device may hold
  std::vector<uint64_t> size;
  uint32_t backfills = 1;   ///< moves per device and wave, in and out counted apart
  uint64_t wave_bytes = 0;  ///< of a wave, unless a single move is larger; 0: no limit
};

struct Waves {
  std::vector<Move> moves;  ///< by wave, and in a wave the fullest source first
  uint32_t count = 0;
  /// For these there is never room: they wait for each other.
  std::vector<Move> stuck;
};

Waves make_waves(std::vector<Move> moves, const WaveLimits& limits);

}  // namespace plimsoll::mover
