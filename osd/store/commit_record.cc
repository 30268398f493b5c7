// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/commit_record.h"

#include <algorithm>
#include <unordered_set>

#include "osd/store/format.h"

namespace plimsoll::osd {

namespace {

constexpr size_t kWritePieces = 256;  ///< of one block each, in one call to the block file
constexpr size_t kFixed = 8 + 4 + 4;
constexpr size_t kPerOp = 1 + 4 + 4;
constexpr size_t kPerBlock = 8 + 4;

/// A ByteWriter for memory that is there already.
struct Cursor {
  template <class T>
  void number(T v) {
    std::memcpy(at, &v, sizeof v);
    at += sizeof v;
  }
  void blob(std::string_view data) {
    number(static_cast<uint32_t>(data.size()));
    std::memcpy(at, data.data(), data.size());
    at += data.size();
  }
  uint8_t* at;
};

}  // namespace

size_t encoded_size(const CommitRecord& record) {
  size_t n = kFixed + record.batch.bytes() + kPerOp * record.batch.ops().size();
  for (const auto& b : record.blocks) n += kPerBlock + b.used;
  return n;
}

void encode(const CommitRecord& record, uint8_t* out) {
  Cursor c{out};
  c.number(record.in_place);
  c.number(static_cast<uint32_t>(record.batch.ops().size()));
  for (const auto& op : record.batch.ops()) {
    c.number(static_cast<uint8_t>(op.kind));
    c.blob(op.key);
    c.blob(op.value);
  }
  c.number(static_cast<uint32_t>(record.blocks.size()));
  for (const auto& b : record.blocks) {
    c.number(b.block);
    c.blob(b.content.view().substr(0, b.used));
  }
}

Result<CommitRecord> decode_commit_record(Bytes payload) {
  CommitRecord out;
  ByteReader r(std::move(payload));
  out.in_place = r.u64();
  for (uint32_t n = r.count(kPerOp); n && r.ok(); n--) {
    const uint8_t kind = r.u8();
    std::string k = r.str(), value = r.str();
    if (kind == static_cast<uint8_t>(KvBatch::Kind::kPut)) {
      out.batch.put(std::move(k), std::move(value));
    } else if (kind == static_cast<uint8_t>(KvBatch::Kind::kEraseRange)) {
      out.batch.erase_range(std::move(k), std::move(value));
    } else {
      if (kind != static_cast<uint8_t>(KvBatch::Kind::kErase) || !value.empty())
        r.fail("unknown change");
      out.batch.erase(std::move(k));
    }
  }
  for (uint32_t n = r.count(kPerBlock); n && r.ok(); n--) {
    const uint64_t block = r.u64();
    const Bytes used = r.blob();
    if (used.size() > kBlock) r.fail("more than a block");
    if (!r.ok()) break;
    Buffer content(kBlock, kBlock);
    std::memcpy(content.data(), used.data(), used.size());
    std::memset(content.data() + used.size(), 0, kBlock - used.size());
    out.blocks.push_back(
        {block, Bytes::take(std::move(content)), static_cast<uint32_t>(used.size())});
  }
  if (!r.ok()) return fail(EINVAL, std::string("malformed commit record: ") + r.error());
  if (r.remaining()) return fail(EINVAL, "malformed commit record: bytes behind its end");
  return out;
}

KvBatch merge(std::vector<KvBatch> batches) {
  using Op = KvBatch::Op;
  std::vector<Op*> kept;
  bool ranges = false;
  size_t count = 0;
  for (const auto& batch : batches) count += batch.ops().size();
  std::unordered_set<std::string_view> later;
  later.reserve(count);
  kept.reserve(count);
  for (auto batch = batches.rbegin(); batch != batches.rend(); ++batch) {
    auto& ops = batch->mutable_ops();
    for (auto op = ops.rbegin(); op != ops.rend(); ++op) {
      const bool range = op->kind == KvBatch::Kind::kEraseRange;
      ranges |= range;
      if (range || later.insert(op->key).second) kept.push_back(&*op);
    }
  }
  auto descending = [](const Op* a, const Op* b) { return a->key > b->key; };
  if (!ranges) std::sort(kept.begin(), kept.end(), descending);
  KvBatch out;
  out.mutable_ops().reserve(kept.size());
  for (auto op = kept.rbegin(); op != kept.rend(); ++op) out.add(std::move(**op));
  return out;
}

Task<Result<>> write_in_place(BlockFile& file, BlockContents contents) {
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

}  // namespace plimsoll::osd
