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

}  // namespace plimsoll::real
