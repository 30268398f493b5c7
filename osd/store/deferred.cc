// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/deferred.h"

#include "osd/store/format.h"

namespace plimsoll::osd {

namespace {

constexpr size_t kWritePieces = 256;  ///< of one block each, in one call to the block file
constexpr size_t kReplayPage = 256;

using Contents = std::map<uint64_t, Bytes>;

/// Neighbours go out together.
Task<Result<>> write_blocks(BlockFile& file, Contents contents) {
  for (auto it = contents.begin(); it != contents.end();) {
    const uint64_t first = it->first;
    std::vector<Bytes> pieces;
    for (;
         it != contents.end() && it->first == first + pieces.size() && pieces.size() < kWritePieces;
         ++it)
      pieces.push_back(std::move(it->second));
    CO_TRY_VOID(co_await file.write(first * kBlock, std::move(pieces)));
  }
  co_return co_await file.sync();
}

/// Later records of the same block win.
Result<> decode_record(std::string value, Contents& into) {
  ByteReader r(Bytes::take(std::move(value)));
  for (uint32_t n = r.count(12); n && r.ok(); n--) {
    const uint64_t block = r.u64();
    const Bytes used = r.blob();
    if (!r.ok() || used.size() > kBlock) break;
    Buffer content(kBlock, kBlock);
    std::memcpy(content.data(), used.data(), used.size());
    std::memset(content.data() + used.size(), 0, kBlock - used.size());
    into[block] = Bytes::take(std::move(content));
  }
  if (!r.ok() || r.remaining()) return fail(EINVAL, "malformed deferred write");
  return {};
}

}  // namespace

void DeferredWrites::stage(uint64_t block, Bytes content, size_t used) {
  DCHECK(content.size() == kBlock && used <= kBlock);
  newest_.insert_or_assign(block, Newest{next_sequence_, content});
  staged_.push_back({block, std::move(content), static_cast<uint32_t>(used)});
}

uint64_t DeferredWrites::seal(KvBatch& batch) {
  if (staged_.empty()) return 0;
  Record record;
  record.sequence = next_sequence_++;
  record.bytes = staged_.size() * kBlock;
  ByteWriter w;
  w.reserve(4 + staged_.size() * (12 + kBlock));
  w.u32(static_cast<uint32_t>(staged_.size()));
  for (const auto& b : staged_) {
    w.u64(b.block);
    w.blob(b.content.view().substr(0, b.used));
  }
  batch.put(key::deferred(record.sequence), w.take_string());
  bytes_ += record.bytes;
  record.blocks = std::exchange(staged_, {});
  records_.push_back(std::move(record));
  return records_.back().sequence;
}

void DeferredWrites::durable(uint64_t sequence) {
  while (durable_ < sequence)
    durable_bytes_ += records_[++durable_ - records_.front().sequence].bytes;
}

const Bytes* DeferredWrites::find(uint64_t block) const {
  auto it = newest_.find(block);
  return it == newest_.end() ? nullptr : &it->second.content;
}

bool DeferredWrites::any(BlockRun run) const {
  auto it = newest_.lower_bound(run.first);
  return it != newest_.end() && it->first < run.end();
}

Task<Result<>> DeferredWrites::flush(BlockFile& file, Kv& kv) {
  // Only durable records, and of each block their newest content: what a later transaction made of
  // it must not reach the block file before that transaction is durable.
  Contents contents;
  size_t count = 0;
  for (; count < records_.size() && records_[count].sequence <= durable_; count++)
    for (const auto& b : records_[count].blocks) contents[b.block] = b.content;
  if (!count) co_return Result<>();
  CO_TRY_VOID(co_await write_blocks(file, std::move(contents)));
  KvBatch erase;
  for (size_t i = 0; i < count; i++) erase.erase(key::deferred(records_[i].sequence));
  CO_TRY_VOID(co_await kv.commit(std::move(erase)));

  for (; count; count--, records_.pop_front()) {
    const Record& r = records_.front();
    for (const auto& b : r.blocks) {
      auto it = newest_.find(b.block);
      if (it != newest_.end() && it->second.sequence == r.sequence) newest_.erase(it);
    }
    bytes_ -= r.bytes;
    durable_bytes_ -= r.bytes;
  }
  co_return Result<>();
}

Task<Result<>> DeferredWrites::replay(BlockFile& file, Kv& kv) {
  const std::string end = key::after_prefix(std::string(1, key::kDeferred));
  for (;;) {
    CO_TRY(page, co_await kv.scan(std::string(1, key::kDeferred), end, kReplayPage));
    if (page.empty()) co_return Result<>();
    Contents contents;
    KvBatch erase;
    for (auto& [k, value] : page) {
      CO_TRY_VOID(decode_record(std::move(value), contents));
      erase.erase(std::move(k));
    }
    CO_TRY_VOID(co_await write_blocks(file, std::move(contents)));
    CO_TRY_VOID(co_await kv.commit(std::move(erase)));
  }
}

}  // namespace plimsoll::osd
