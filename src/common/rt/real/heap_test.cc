// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/heap.h"

#include <gperftools/malloc_extension_c.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  HeapDecay decay;
  for (size_t i = 1; i < HeapDecay::kCalls; i++) decay.tick();
  EXPECT_EQ(free_heap_bytes(), before);
  for (size_t i = 0; i < kPieces * kPiece / HeapDecay::kAtOnce + 20; i++) decay.tick();
  EXPECT_LE(free_heap_bytes(), 2 * HeapDecay::kKept);
}

TEST(Heap, WhatIsTakenAgainAndAgainStays) {
  constexpr size_t kPiece = 64 << 20;
  HeapDecay decay;
  size_t least = SIZE_MAX;
  for (size_t i = 0; i < 10 * HeapDecay::kCalls; i++) {
    const bool taken = i % 3 == 0;
    const auto piece = std::make_unique<char[]>(taken ? kPiece : 1);
    [[maybe_unused]] char* const volatile not_optimized_away = piece.get();
    decay.tick();
    if (!taken && i > HeapDecay::kCalls) least = std::min(least, free_heap_bytes());
  }
  EXPECT_GE(least, kPiece);
}

TEST(Heap, CanBeAskedWhatItHoldsAndToGiveItBack) {
  EXPECT_NE(heap_stats().find("Bytes in use by application"), std::string::npos);
  std::make_unique<char[]>(16 << 20).reset();
  ASSERT_GE(free_heap_bytes(), size_t{16} << 20);
  EXPECT_TRUE(release_heap());
  EXPECT_EQ(free_heap_bytes(), 0u);
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
