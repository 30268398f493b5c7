// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/heap.h"

#include <gperftools/malloc_extension_c.h>

#include <algorithm>

// Defined only in programs that link tcmalloc.
#pragma weak MallocExtension_GetNumericProperty
#pragma weak MallocExtension_ReleaseToSystem
#pragma weak MallocExtension_SetNumericProperty

namespace plimsoll::real {

size_t free_heap_bytes() {
  size_t bytes = 0;
  if (!MallocExtension_GetNumericProperty ||
      !MallocExtension_GetNumericProperty("tcmalloc.pageheap_free_bytes", &bytes))
    return 0;
  return bytes;
}

void decay_heap() {
  const size_t free = free_heap_bytes();
  if (free <= kKeptHeap || !MallocExtension_ReleaseToSystem) return;
  MallocExtension_ReleaseToSystem(std::min(free / 8, free - kKeptHeap));
}

void limit_thread_caches() {
  if (MallocExtension_SetNumericProperty)
    MallocExtension_SetNumericProperty("tcmalloc.max_total_thread_cache_bytes", kThreadCaches);
}

}  // namespace plimsoll::real
