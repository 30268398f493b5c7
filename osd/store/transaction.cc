// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/transaction.h"

#include "common/rt/block_file.h"

namespace plimsoll::osd {

bool removes(TxnCode code) {
  switch (code) {
    case TxnCode::kRemove:
    case TxnCode::kRemoveAttr:
    case TxnCode::kClearAttrs:
    case TxnCode::kOmapRemove:
    case TxnCode::kOmapRemoveRange:
    case TxnCode::kOmapClear:
      return true;
    default:
      return false;
  }
}

TxnOp& Transaction::add(TxnCode code, PgId pg) {
  if (ops_.empty()) ops_.reserve(6);
  TxnOp& op = ops_.emplace_back();
  op.code = code;
  op.pg = pg;
  return op;
}

TxnOp& Transaction::add(TxnCode code, PgId pg, const HObject& o) {
  TxnOp& op = add(code, pg);
  op.object = o;
  return op;
}

void Transaction::create_collection(PgId pg) { add(TxnCode::kCreateCollection, pg); }
void Transaction::remove_collection(PgId pg) { add(TxnCode::kRemoveCollection, pg); }
void Transaction::touch(PgId pg, const HObject& o) { add(TxnCode::kTouch, pg, o); }
void Transaction::write(PgId pg, const HObject& o, uint64_t offset, Bytes data) {
  TxnOp& op = add(TxnCode::kWrite, pg, o);
  op.offset = offset;
  op.length = data.size();
  op.data = std::move(data);
}
void Transaction::zero(PgId pg, const HObject& o, uint64_t offset, uint64_t length) {
  TxnOp& op = add(TxnCode::kZero, pg, o);
  op.offset = offset;
  op.length = length;
}
void Transaction::truncate(PgId pg, const HObject& o, uint64_t size) {
  add(TxnCode::kTruncate, pg, o).offset = size;
}
void Transaction::remove(PgId pg, const HObject& o) { add(TxnCode::kRemove, pg, o); }
void Transaction::set_attr(PgId pg, const HObject& o, std::string name, Bytes value) {
  TxnOp& op = add(TxnCode::kSetAttr, pg, o);
  op.name = std::move(name);
  op.data = std::move(value);
}
void Transaction::remove_attr(PgId pg, const HObject& o, std::string name) {
  add(TxnCode::kRemoveAttr, pg, o).name = std::move(name);
}
void Transaction::clear_attrs(PgId pg, const HObject& o) { add(TxnCode::kClearAttrs, pg, o); }
void Transaction::omap_set(PgId pg, const HObject& o, std::map<std::string, Bytes> pairs) {
  add(TxnCode::kOmapSet, pg, o).map = std::move(pairs);
}
void Transaction::omap_remove(PgId pg, const HObject& o, std::map<std::string, Bytes> keys) {
  add(TxnCode::kOmapRemove, pg, o).map = std::move(keys);
}
void Transaction::omap_remove_range(PgId pg, const HObject& o, std::string from, std::string to) {
  TxnOp& op = add(TxnCode::kOmapRemoveRange, pg, o);
  op.name = std::move(from);
  op.name2 = std::move(to);
}
void Transaction::omap_clear(PgId pg, const HObject& o) { add(TxnCode::kOmapClear, pg, o); }
void Transaction::omap_set_header(PgId pg, const HObject& o, Bytes header) {
  add(TxnCode::kOmapSetHeader, pg, o).data = std::move(header);
}
void Transaction::alloc_hint(PgId pg, const HObject& o, uint64_t object_size, uint64_t write_size) {
  TxnOp& op = add(TxnCode::kAllocHint, pg, o);
  op.offset = object_size;
  op.length = write_size;
}
void Transaction::meta_set(PgId pg, std::map<std::string, Bytes> pairs) {
  add(TxnCode::kMetaSet, pg).map = std::move(pairs);
}
void Transaction::meta_remove(PgId pg, std::map<std::string, Bytes> keys) {
  add(TxnCode::kMetaRemove, pg).map = std::move(keys);
}
void Transaction::meta_remove_range(PgId pg, std::string from, std::string to) {
  TxnOp& op = add(TxnCode::kMetaRemoveRange, pg);
  op.name = std::move(from);
  op.name2 = std::move(to);
}
void Transaction::store_set(std::map<std::string, Bytes> pairs) {
  add(TxnCode::kStoreSet, {}).map = std::move(pairs);
}
void Transaction::store_remove(std::map<std::string, Bytes> keys) {
  add(TxnCode::kStoreRemove, {}).map = std::move(keys);
}

void Transaction::append(Transaction other) {
  for (auto& op : other.ops_) ops_.push_back(std::move(op));
}

uint64_t Transaction::blocks_written() const {
  constexpr uint64_t kBlock = BlockFile::kBlock;
  uint64_t blocks = 0;
  for (const auto& op : ops_) {
    if (op.code != TxnCode::kWrite || op.data.empty()) continue;
    blocks += (op.offset + op.data.size() - 1) / kBlock - op.offset / kBlock + 1;
  }
  return blocks;
}

namespace {

/// Smaller payloads travel with the rest, so that one large write next to small attributes needs no
/// joining.
constexpr size_t kInline = 1024;

}  // namespace

void Transaction::encode(ByteWriter& front, Bytes& data) const {
  size_t pieces = 0, total = 0;
  front.u32(static_cast<uint32_t>(ops_.size()));
  for (const auto& op : ops_) {
    wire::encode(op, front);
    front.u32(static_cast<uint32_t>(op.data.size()));
    if (op.data.size() < kInline) {
      front.raw(op.data.view());
      continue;
    }
    pieces++;
    total += op.data.size();
    data = op.data;
  }
  if (pieces <= 1) return;
  Buffer joined(total, 4096);
  size_t at = 0;
  for (const auto& op : ops_) {
    if (op.data.size() < kInline) continue;
    std::memcpy(joined.data() + at, op.data.data(), op.data.size());
    at += op.data.size();
  }
  data = Bytes::take(std::move(joined));
}

Result<Transaction> Transaction::decode(ByteReader& front, Bytes data) {
  Transaction t;
  size_t at = 0;
  for (uint32_t n = front.count(64); n && front.ok(); n--) {
    TxnOp op;
    wire::decode(op, front);
    const uint32_t length = front.u32();
    if (op.code < TxnCode::kCreateCollection || op.code > TxnCode::kStoreRemove)
      return fail(EINVAL, "transaction: unknown change " + std::to_string(int(op.code)));
    if (length < kInline) {
      op.data = front.raw(length);
    } else {
      if (length > data.size() - at) return fail(EINVAL, "transaction: payload is too short");
      op.data = data.slice(at, length);
      at += length;
    }
    t.ops_.push_back(std::move(op));
  }
  if (!front.ok()) return fail(EINVAL, std::string("transaction: ") + front.error());
  return t;
}

}  // namespace plimsoll::osd
