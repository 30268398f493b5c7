// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/deferred.h"

#include "osd/store/format.h"

namespace plimsoll::osd {

void DeferredWrites::stage(uint64_t block, Bytes content, size_t used) {
  DCHECK(content.size() == kBlock && used <= kBlock);
  newest_.insert_or_assign(block, Newest{next_sequence_, content});
  staged_.push_back({block, std::move(content), static_cast<uint32_t>(used)});
}

std::vector<DeferredBlock> DeferredWrites::seal() {
  if (staged_.empty()) return {};
  sealed_.push_back({next_sequence_++, std::exchange(staged_, {})});
  bytes_ += sealed_.back().bytes();
  return sealed_.back().blocks;
}

void DeferredWrites::durable(size_t transactions, uint64_t journal) {
  for (; transactions; transactions--) durable_bytes_ += sealed_[durable_count_++].bytes();
  journal_ = journal;
}

const Bytes* DeferredWrites::find(uint64_t block) const {
  auto it = newest_.find(block);
  return it == newest_.end() ? nullptr : &it->second.content;
}

bool DeferredWrites::any(BlockRun run) const {
  auto it = newest_.lower_bound(run.first);
  return it != newest_.end() && it->first < run.end();
}

Task<Result<>> DeferredWrites::flush(BlockFile& file) {
  // Only durable ones, and of each block their newest content: what a later transaction made of it
  // must not reach the block file before that transaction is durable.
  const uint64_t journal = journal_;
  size_t count = durable_count_;
  BlockContents contents;
  for (size_t i = 0; i < count; i++)
    for (const auto& b : sealed_[i].blocks) contents[b.block] = b.content;
  if (count) CO_TRY_VOID(co_await write_in_place(file, std::move(contents)));
  in_place_ = journal;

  durable_count_ -= count;
  for (; count; count--, sealed_.pop_front()) {
    const Sealed& s = sealed_.front();
    for (const auto& b : s.blocks) {
      auto it = newest_.find(b.block);
      if (it != newest_.end() && it->second.sequence == s.sequence) newest_.erase(it);
    }
    bytes_ -= s.bytes();
    durable_bytes_ -= s.bytes();
  }
  co_return Result<>();
}

}  // namespace plimsoll::osd
