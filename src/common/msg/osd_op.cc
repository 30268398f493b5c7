// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/msg/osd_op.h"

#include <fmt/core.h>

namespace plimsoll::msg {

namespace {

constexpr size_t kOpBytes = 38;

void encode_op(const OsdOp& op, const Bytes& payload, ByteWriter& w) {
  wire::encode(op.code, w);
  w.u32(op.flags);
  wire::encode(op.args, w);
  w.u32(static_cast<uint32_t>(payload.size()));
}

void decode_ops(std::vector<OsdOp>& ops, size_t count, ByteReader& r) {
  ops.clear();
  if (count > r.remaining() / kOpBytes) return r.fail("more operations than data");
  ops.resize(count);
  for (OsdOp& op : ops) {
    wire::decode(op.code, r);
    op.flags = r.u32();
    wire::decode(op.args, r);
    op.payload_len = r.u32();
  }
}

}  // namespace

void encode(const RequestOps& v, ByteWriter& w) {
  CHECK(v.ops.size() <= UINT16_MAX);
  w.u16(static_cast<uint16_t>(v.ops.size()));
  for (const OsdOp& op : v.ops) encode_op(op, op.indata, w);
}

void decode(RequestOps& v, ByteReader& r) {
  decode_ops(v.ops, r.u16(), r);
}

void encode(const ReplyOps& v, ByteWriter& w) {
  w.u32(static_cast<uint32_t>(v.ops.size()));
  for (const OsdOp& op : v.ops) encode_op(op, op.outdata, w);
}

void decode(ReplyOps& v, ByteReader& r) {
  decode_ops(v.ops, r.u32(), r);
}

void encode(const ReplyResults& v, ByteWriter& w) {
  for (const OsdOp& op : v.ops) wire::encode(op.rval, w);
}

void decode(ReplyResults& v, ByteReader& r) {
  for (OsdOp& op : v.ops) wire::decode(op.rval, r);
}

Bytes join_payloads(const std::vector<OsdOp>& ops, Bytes OsdOp::* payload) {
  const Bytes* only = nullptr;
  size_t total = 0, filled = 0;
  for (const OsdOp& op : ops) {
    if ((op.*payload).empty()) continue;
    only = &(op.*payload);
    total += only->size();
    filled++;
  }
  if (filled == 0) return {};
  if (filled == 1) return *only;
  ByteWriter w;
  w.reserve(total);
  for (const OsdOp& op : ops) w.raw((op.*payload).view());
  return w.take();
}

Result<> split_payloads(std::vector<OsdOp>& ops, Bytes OsdOp::* payload, const Bytes& data) {
  uint64_t total = 0;
  for (const OsdOp& op : ops) total += op.payload_len;
  if (total != data.size())
    return fail(EINVAL, fmt::format("operations declare {} bytes of payload, the message has {}",
                                    total, data.size()));
  size_t at = 0;
  for (OsdOp& op : ops) {
    if (op.payload_len) op.*payload = data.slice(at, op.payload_len);
    at += std::exchange(op.payload_len, 0);
  }
  return {};
}

std::string op_name(OpCode code) {
  switch (code) {
#define OSD_OP(name, code, text) \
  case OpCode::name:             \
    return text;
#include "common/msg/osd_ops.inc"
#undef OSD_OP
  }
  return fmt::format("op 0x{:x}", static_cast<uint16_t>(code));
}

}  // namespace plimsoll::msg
