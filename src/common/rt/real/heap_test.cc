// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/heap.h"

#include <gperftools/malloc_extension_c.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace plimsoll::real {
namespace {

TEST(Heap, WhatWasNeededOnceIsGivenBack) {
  constexpr size_t kPiece = 1 << 20, kPieces = 128;
  {
    std::vector<std::unique_ptr<char[]>> pieces;
    for (size_t i = 0; i < kPieces; i++) pieces.push_back(std::make_unique<char[]>(kPiece));
  }
  const size_t before = free_heap_bytes();
  ASSERT_GE(before, kPieces * kPiece);
  decay_heap();
  const size_t after = free_heap_bytes();
  EXPECT_LT(after, before);
  for (int i = 0; i < 120; i++) decay_heap();
  EXPECT_LE(free_heap_bytes(), 4 * kKeptHeap);
}

TEST(Heap, ThreadCachesAreBounded) {
  auto bound = [] {
    size_t bytes = 0;
    MallocExtension_GetNumericProperty("tcmalloc.max_total_thread_cache_bytes", &bytes);
    return bytes;
  };
  ASSERT_GT(bound(), kThreadCaches);
  limit_thread_caches();
  EXPECT_EQ(bound(), kThreadCaches);
}

}  // namespace
}  // namespace plimsoll::real
