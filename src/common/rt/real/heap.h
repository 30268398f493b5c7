// SPDX-License-Identifier: LGPL-2.1-or-later
// What the allocator keeps. tcmalloc hardly ever gives memory back: a daemon that once held many
// large writes would look for the rest of its life as if it still did. Each daemon has a HeapDecay;
// under another allocator (sanitizers bring their own) it does nothing.
#pragma once

#include <array>
#include <cstddef>
#include <string>

namespace plimsoll::real {

/// Bytes of whole free pages that the allocator has from the system; 0 where it does not tell.
size_t free_heap_bytes();

/// Gives back what stayed free all the time for kCalls calls of tick(), which should come once a
/// second: what a busy daemon takes again and again stays, what it needed once goes.
class HeapDecay {
 public:
  static constexpr size_t kCalls = 4;
  static constexpr size_t kKept = 1 << 20;    ///< of this no more is given back
  static constexpr size_t kAtOnce = 8 << 20;  ///< per call, so that it takes little time

  void tick();

 private:
  std::array<size_t, kCalls> free_{};  ///< what was free at the last calls, less what was given
  size_t next_ = 0;
};

/// Bounds what all threads together keep of small pieces. By default that comes near 32 MiB within
/// half an hour. Writes got no slower when it was 8 MiB (40.7-41.4 us of CPU per 4 KiB write at
/// depth 16 before, 38.2-38.9 with it; qa/bench/store_bench); 4 MiB was not measured there.
void limit_thread_caches();
inline constexpr size_t kThreadCaches = 4 << 20;

/// The allocator's account of what it has from the system and what of it is in use, for people;
/// empty where it gives none.
std::string heap_stats();

/// Gives back every free page; false where the allocator cannot be asked to.
bool release_heap();

}  // namespace plimsoll::real
