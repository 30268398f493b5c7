// SPDX-License-Identifier: LGPL-2.1-or-later
// What the allocator keeps. tcmalloc hardly ever gives memory back: a daemon that once held many
// large writes would look for the rest of its life as if it still did. Daemons call decay_heap()
// from time to time; under another allocator (sanitizers bring their own) it does nothing.
#pragma once

#include <cstddef>

namespace plimsoll::real {

/// Bytes of whole free pages that the allocator has from the system; 0 where it does not tell.
size_t free_heap_bytes();

/// Gives an eighth of these back, but keeps kKeptHeap: what a busy daemon takes again at once
/// stays, what it needed once goes within minutes.
void decay_heap();
inline constexpr size_t kKeptHeap = 2 << 20;

/// Bounds what all threads together keep of small pieces. By default that comes near 32 MiB within
/// half an hour. Writes get no slower (40.7-41.4 us of CPU per 4 KiB write at depth 16 before,
/// 38.2-38.9 with it; qa/bench/store_bench).
void limit_thread_caches();
inline constexpr size_t kThreadCaches = 8 << 20;

}  // namespace plimsoll::real
