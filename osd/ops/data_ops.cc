// SPDX-License-Identifier: LGPL-2.1-or-later
// Operations on an object's bytes. A file system truncates lazily: it sends truncate_seq and
// truncate_size with its reads and writes, and an object whose own truncate_seq is older is taken
// as cut to truncate_size.
#include "common/base/crc32c.h"
#include "osd/ops/checksum.h"
#include "osd/ops/ops_table.h"

namespace plimsoll::osd::ops {

namespace {

using ByteExtent = msg::Extent;

/// The object's size as a reader with these arguments may see it.
uint64_t visible_size(const OpContext& c, const ByteExtent& e) {
  const bool cut =
      e.truncate_seq > c.now.info.truncate_seq && e.offset + e.length > e.truncate_size;
  return cut ? std::min(c.now.size, e.truncate_size) : c.now.size;
}

/// [offset, offset + length) cut to the object; length 0 means all of it.
ByteExtent readable(const OpContext& c, ByteExtent e) {
  const uint64_t size = visible_size(c, e);
  if (e.length == 0) e.length = size;
  e.length = e.offset >= size ? 0 : std::min(e.length, size - e.offset);
  return e;
}

Task<Result<Bytes>> fetch(OpContext& c, uint64_t offset, uint64_t length) {
  if (length == 0) co_return Bytes();
  // An object that the same vector created is not in the store yet.
  if (!c.before.exists) co_return Bytes::zeros(length);
  co_return co_await c.store.read(c.pg, c.object, offset, length);
}

void apply_truncate_seq(OpContext& c, const ByteExtent& e) {
  if (e.truncate_seq <= c.now.info.truncate_seq) return;
  if (c.now.exists && c.now.size != e.truncate_size) {
    c.txn.truncate(c.pg, c.object, e.truncate_size);
    c.now.size = e.truncate_size;
  }
  c.now.info.truncate_seq = e.truncate_seq;
  c.now.info.truncate_size = e.truncate_size;
}

int32_t write_at(OpContext& c, uint64_t offset, Bytes data) {
  if (data.empty()) {
    c.create();
    return 0;
  }
  c.now.size = std::max(c.now.size, offset + data.size());
  c.txn.write(c.pg, c.object, offset, std::move(data));
  c.will_write();
  return 0;
}

}  // namespace

int32_t check_range(const OpContext& c, uint64_t offset, uint64_t length) {
  const uint64_t max = c.limits.max_object_size;
  return offset >= max || length > max || offset + length > max ? -EFBIG : 0;
}

Task<int32_t> read(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) co_return -ENOENT;
  ByteExtent e = readable(c, op.as<ByteExtent>());
  auto data = co_await fetch(c, e.offset, e.length);
  if (!data) co_return data.error().wire();
  op.outdata = std::move(*data);
  e.length = op.outdata.size();
  op.set(e);
  co_return 0;
}

Task<int32_t> sparse_read(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) co_return -ENOENT;
  const ByteExtent e = readable(c, op.as<ByteExtent>());
  std::vector<osd::Extent> extents;
  if (e.length && c.before.exists) {
    auto found = co_await c.store.extents(c.pg, c.object, e.offset, e.length);
    if (!found) co_return found.error().wire();
    extents = std::move(*found);
  }
  std::map<uint64_t, uint64_t> where;
  std::string data;
  for (const auto& x : extents) {
    auto piece = co_await fetch(c, x.offset, x.length);
    if (!piece) co_return piece.error().wire();
    where[x.offset] = piece->size();
    data.append(piece->view());
  }
  ByteWriter w;
  wire::encode(where, w);
  wire::encode(data, w);
  op.outdata = w.take();
  co_return 0;
}

namespace {

constexpr uint8_t kXxHash32 = 0, kXxHash64 = 1, kCrc32c = 2;

void put_checksum(uint8_t type, uint64_t seed, std::string_view chunk, ByteWriter& w) {
  if (type == kXxHash64)
    w.u64(xxhash64(seed, chunk));
  else if (type == kXxHash32)
    w.u32(xxhash32(static_cast<uint32_t>(seed), chunk));
  else
    w.u32(crc32c(static_cast<uint32_t>(seed), chunk));
}

}  // namespace

Task<int32_t> checksum(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::ChecksumArgs>();
  if (a.type > kCrc32c) co_return -EINVAL;
  ByteReader in(op.indata);
  const uint64_t seed = a.type == kXxHash64 ? in.u64() : in.u32();
  if (!in.ok()) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  if (a.chunk_size && a.length % a.chunk_size) co_return -EINVAL;
  const ByteExtent e = readable(c, ByteExtent{a.offset, a.length});
  if (a.chunk_size && e.length % a.chunk_size) co_return -EINVAL;
  auto data = co_await fetch(c, e.offset, e.length);
  if (!data) co_return data.error().wire();

  const size_t chunk = a.chunk_size ? a.chunk_size : data->size();
  ByteWriter w;
  w.u32(data->empty() ? 0 : static_cast<uint32_t>(data->size() / chunk));
  for (size_t at = 0; at < data->size(); at += chunk)
    put_checksum(a.type, seed, data->view().substr(at, chunk), w);
  op.outdata = w.take();
  co_return 0;
}

/// Behind the object's end it reads as zeros. A difference at byte n is the error -4095 - n.
Task<int32_t> cmpext(OpContext& c, msg::OsdOp& op) {
  constexpr int32_t kMaxErrno = 4095;
  ByteExtent e = op.as<ByteExtent>();
  if (e.length != op.indata.size()) co_return -EINVAL;
  if (int32_t r = check_range(c, e.offset, e.length)) co_return r;
  if (e.length == 0) co_return 0;
  e = c.now.exists ? readable(c, e) : ByteExtent{};
  auto data = co_await fetch(c, e.offset, e.length);
  if (!data) co_return data.error().wire();
  for (size_t i = 0; i < op.indata.size(); i++) {
    const uint8_t have = i < data->size() ? data->data()[i] : 0;
    if (have != op.indata.data()[i]) co_return -kMaxErrno - static_cast<int32_t>(i);
  }
  co_return 0;
}

int32_t stat(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) return -ENOENT;
  ByteWriter w;
  w.u64(c.now.size);
  wire::encode(c.now.info.mtime, w);
  op.outdata = w.take();
  return 0;
}

int32_t write(OpContext& c, msg::OsdOp& op) {
  const auto e = op.as<ByteExtent>();
  if (e.length != op.indata.size()) return -EINVAL;
  if (int32_t r = check_range(c, e.offset, e.length)) return r;
  Bytes data = op.indata;
  const ObjectInfo& info = c.now.info;
  // A write that was overtaken by a truncation loses what lies behind the cut.
  if (info.truncate_seq > e.truncate_seq && e.offset + e.length > info.truncate_size)
    data = data.slice(0, info.truncate_size > e.offset ? info.truncate_size - e.offset : 0);
  apply_truncate_seq(c, e);
  // A write of nothing behind the end extends the object up to there.
  if (e.length == 0 && e.offset > c.now.size) {
    c.create();
    c.txn.truncate(c.pg, c.object, e.offset);
    c.now.size = e.offset;
    return 0;
  }
  return write_at(c, e.offset, std::move(data));
}

int32_t write_full(OpContext& c, msg::OsdOp& op) {
  const auto e = op.as<ByteExtent>();
  if (e.length != op.indata.size()) return -EINVAL;
  if (int32_t r = check_range(c, 0, e.length)) return r;
  if (c.now.size > e.length) c.txn.truncate(c.pg, c.object, e.length);
  c.now.size = e.length;
  return write_at(c, 0, op.indata);
}

int32_t write_same(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::WriteSameArgs>();
  if (a.length == 0) return 0;
  if (a.data_length == 0 || a.length % a.data_length || a.data_length != op.indata.size())
    return -EINVAL;
  if (int32_t r = check_range(c, a.offset, a.length)) return r;
  Buffer repeated(a.length, 4096);
  for (uint64_t at = 0; at < a.length; at += a.data_length)
    std::memcpy(repeated.data() + at, op.indata.data(), a.data_length);
  return write_at(c, a.offset, Bytes::take(std::move(repeated)));
}

int32_t append(OpContext& c, msg::OsdOp& op) {
  auto e = op.as<ByteExtent>();
  if (e.length != op.indata.size()) return -EINVAL;
  if (int32_t r = check_range(c, c.now.size, e.length); r && e.length) return r;
  apply_truncate_seq(c, e);
  e.offset = c.now.size;
  op.set(e);
  return write_at(c, c.now.size, op.indata);
}

/// Up to the end or past it, the object gets shorter; it never gets longer.
int32_t zero(OpContext& c, msg::OsdOp& op) {
  const auto e = op.as<ByteExtent>();
  if (e.length == 0) return -EINVAL;
  if (int32_t r = check_range(c, e.offset, e.length)) return r;
  if (!c.now.exists) return 0;
  c.modified = true;
  if (e.offset >= c.now.size) return 0;
  if (e.offset + e.length < c.now.size) {
    c.txn.zero(c.pg, c.object, e.offset, e.length);
  } else {
    c.txn.truncate(c.pg, c.object, e.offset);
    c.now.size = e.offset;
  }
  return 0;
}

int32_t truncate(OpContext& c, msg::OsdOp& op) {
  const auto e = op.as<ByteExtent>();
  if (!c.now.exists) return 0;
  if (e.offset >= c.limits.max_object_size) return -EFBIG;
  if (e.truncate_seq) {
    if (e.offset != e.truncate_size) return -EINVAL;
    if (e.truncate_seq <= c.now.info.truncate_seq) return 0;
    c.now.info.truncate_seq = e.truncate_seq;
    c.now.info.truncate_size = e.truncate_size;
  }
  c.txn.truncate(c.pg, c.object, e.offset);
  c.now.size = e.offset;
  c.modified = true;
  return 0;
}

}  // namespace plimsoll::osd::ops
