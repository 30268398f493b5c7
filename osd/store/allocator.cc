// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/allocator.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "common/base/units.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kChunkBlocks = 512;
constexpr uint64_t kSmall = 16;         ///< requests below this use the small cursor
constexpr uint64_t kMergeLook = 1024;  ///< how far merged() looks to either side

/// Bits [from, to) of a word, to <= 64.
uint64_t mask(uint64_t from, uint64_t to) {
  const uint64_t below_to = to == 64 ? ~uint64_t{0} : (uint64_t{1} << to) - 1;
  return below_to & ~((uint64_t{1} << from) - 1);
}

/// Calls fn(word index, mask) for every word that the run touches.
template <class F>
void for_words(BlockRun run, F fn) {
  for (uint64_t b = run.first; b < run.end();) {
    const uint64_t end = std::min(run.end(), round_down(b, 64) + 64);
    fn(b / 64, mask(b % 64, end - round_down(b, 64)));
    b = end;
  }
}

}  // namespace

Allocator::Allocator(uint64_t blocks)
    : blocks_(blocks),
      small_cursor_(blocks / 4 * 3),
      words_((blocks + 63) / 64),
      chunk_free_((blocks + kChunkBlocks - 1) / kChunkBlocks) {}

void Allocator::set(BlockRun run, bool free) {
  CHECK(run.end() <= blocks_);
  for_words(run, [&](uint64_t w, uint64_t m) {
    CHECK((words_[w] & m) == (free ? 0 : m));
    words_[w] ^= m;
    uint32_t& chunk = chunk_free_[w * 64 / kChunkBlocks];
    chunk += free ? std::popcount(m) : -std::popcount(m);
  });
  free_ += free ? run.count : -run.count;
}

void Allocator::release(BlockRun run) {
  set(run, true);
  longest_ = std::max(longest_, merged(run));
}

uint64_t Allocator::merged(BlockRun run) const {
  uint64_t from = run.first, to = run.end();
  while (from > 0 && run.first - from < kMergeLook && is_free(from - 1)) from--;
  while (to < blocks_ && to - run.end() < kMergeLook && is_free(to)) to++;
  const bool near = run.first - from < kMergeLook && to - run.end() < kMergeLook;
  return near ? to - from : free_;
}

void Allocator::allocate(uint64_t count, std::vector<BlockRun>& out) {
  CHECK(count <= free_);
  uint64_t& cursor = count < kSmall ? small_cursor_ : large_cursor_;
  while (count) {
    const BlockRun run = find(std::min(count, longest_), cursor);
    if (!run.count) continue;  // longest_ is exact now
    set(run, false);
    cursor = run.end() == blocks_ ? 0 : run.end();
    count -= run.count;
    if (!out.empty() && out.back().end() == run.first) out.back().count += run.count;
    else out.push_back(run);
  }
}

BlockRun Allocator::find(uint64_t want, uint64_t from) {
  CHECK(want);
  uint64_t longest = 0;
  BlockRun run = find_in(want, from, blocks_, longest);
  // The second half may end in a run that begins before `from` and reaches beyond it.
  if (!run.count) run = find_in(want, 0, std::min(blocks_, from + want), longest);
  if (!run.count) longest_ = longest;
  return run;
}

BlockRun Allocator::find_in(uint64_t want, uint64_t from, uint64_t to, uint64_t& longest) const {
  uint64_t length = 0;
  uint64_t b = from;
  while (b < to) {
    uint64_t step = 0;  // free blocks from b on, known without looking closer
    if (b % kChunkBlocks == 0 && chunk_free_[b / kChunkBlocks] == 0) {
      length = 0;
      b += kChunkBlocks;
      continue;
    }
    const uint64_t word = words_[b / 64] >> (b % 64);
    const uint64_t left = 64 - b % 64;
    if (word & 1) {
      step = std::min<uint64_t>(std::countr_one(word), left);
      step = std::min(step, to - b);
      length += step;
      b += step;
      longest = std::max(longest, length);
      if (length >= want) return {b - length, want};
    } else {
      length = 0;
      b += std::min<uint64_t>(std::countr_zero(word), left);
    }
  }
  return {};
}

// ---- FreeMap ------------------------------------------------------------------------------------

FreeMap::FreeMap(uint64_t blocks) : blocks_(blocks), words_(round_up(blocks, kChunk) / 64) {}

Result<> FreeMap::load(uint64_t chunk, std::string_view bitmap) {
  if (chunk >= words_.size() * 64 / kChunk)
    return fail(EINVAL, "free map: chunk beyond the device");
  if (bitmap.size() != kChunk / 8) return fail(EINVAL, "free map: bad chunk size");
  std::memcpy(&words_[chunk * kChunk / 64], bitmap.data(), bitmap.size());
  for (uint64_t b = std::max(blocks_, chunk * kChunk); b < (chunk + 1) * kChunk; b++)
    if (is_used(b)) return fail(EINVAL, "free map: block beyond the device");
  return {};
}

void FreeMap::mark(BlockRun run, bool used) {
  CHECK(run.end() <= blocks_);
  for_words(run, [&](uint64_t w, uint64_t m) {
    CHECK((words_[w] & m) == (used ? 0 : m));
    words_[w] ^= m;
  });
  for (uint64_t c = run.first / kChunk; c * kChunk < run.end(); c++) dirty_.insert(c);
}

std::vector<BlockRun> FreeMap::free_runs() const {
  std::vector<BlockRun> out;
  for (uint64_t b = 0; b < blocks_;) {
    const uint64_t word = words_[b / 64] >> (b % 64);
    const uint64_t left = std::min(64 - b % 64, blocks_ - b);
    const uint64_t same =
        std::min<uint64_t>(word & 1 ? std::countr_one(word) : std::countr_zero(word), left);
    if (!(word & 1)) {
      if (!out.empty() && out.back().end() == b) out.back().count += same;
      else out.push_back({b, same});
    }
    b += same;
  }
  return out;
}

std::string FreeMap::bitmap(uint64_t chunk) const {
  const auto* first = &words_[chunk * kChunk / 64];
  if (std::all_of(first, first + kChunk / 64, [](uint64_t w) { return w == 0; })) return {};
  return std::string(reinterpret_cast<const char*>(first), kChunk / 8);
}

}  // namespace plimsoll::osd
