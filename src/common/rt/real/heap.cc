// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/heap.h"

#include <gperftools/malloc_extension_c.h>

#include <algorithm>

// Defined only in programs that link tcmalloc.
#pragma weak MallocExtension_GetNumericProperty
#pragma weak MallocExtension_GetStats
#pragma weak MallocExtension_ReleaseFreeMemory
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

void HeapDecay::tick() {
  free_[next_++ % kCalls] = free_heap_bytes();
  const size_t idle = *std::min_element(free_.begin(), free_.end());
  if (idle <= kKept || !MallocExtension_ReleaseToSystem) return;
  const size_t give = std::min(idle - kKept, kAtOnce);
  MallocExtension_ReleaseToSystem(give);
  for (size_t& free : free_) free -= give;
}

void limit_thread_caches() {
  if (MallocExtension_SetNumericProperty)
    MallocExtension_SetNumericProperty("tcmalloc.max_total_thread_cache_bytes", kThreadCaches);
}

std::string heap_stats() {
  if (!MallocExtension_GetStats) return "";
  std::string text(8192, '\0');
  MallocExtension_GetStats(text.data(), static_cast<int>(text.size()));
  text.resize(text.find('\0'));
  return text;
}

bool release_heap() {
  if (!MallocExtension_ReleaseFreeMemory) return false;
  MallocExtension_ReleaseFreeMemory();
  return true;
}

}  // namespace plimsoll::real
