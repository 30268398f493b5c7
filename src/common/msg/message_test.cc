// SPDX-License-Identifier: LGPL-2.1-or-later
// All messages: names, golden bytes from stock clients (wire.md 14), and the codec's properties
// over everything in messages.inc.
#include <gtest/gtest.h>

#include <set>

#include "common/msg/all_messages.h"
#include "common/msg/generate.h"

namespace plimsoll::msg {

namespace {

Bytes unhex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return Bytes::take(std::move(out));
}

template <class M>
RawMessage raw_of(Bytes front, Bytes data = {}) {
  RawMessage raw;
  raw.type = M::kType;
  raw.version = M::kVersion;
  raw.compat = M::kCompat;
  raw.front = front;
  raw.data = data;
  return raw;
}

template <class M>
void expect_properties(Rng& rng) {
  const M value = wire::generated<M>(rng);
  const RawMessage raw = to_raw(value, 7);
  EXPECT_EQ(raw.type, M::kType);
  auto back = parse<M>(raw);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_TRUE(*back == value) << message_name(M::kType);
  RawMessage cut = raw;
  for (size_t n = 0; n < raw.front.size(); n++) {
    cut.front = raw.front.slice(0, n);
    EXPECT_FALSE(parse<M>(cut)) << message_name(M::kType) << " cut to " << n;
  }
  if constexpr (HasParts<M>) {
    cut = raw;
    cut.data = Bytes::take(raw.data.to_string() + "x");
    EXPECT_FALSE(parse<M>(cut));
  }
}

}  // namespace

TEST(Message, Names) {
  EXPECT_EQ(message_name(42), "osd_op");
  EXPECT_EQ(message_name(43), "osd_op_reply");
  EXPECT_EQ(message_name(41), "osd_map");
  EXPECT_EQ(message_name(0x704), "mgr_map");
  EXPECT_EQ(message_name(4242), "type 4242");
}

TEST(Message, TableAgreesWithStructs) {
  std::set<uint16_t> ids;
  for (const MessageRow& row : message_table()) EXPECT_TRUE(ids.insert(row.id).second) << row.type;
#define MSG(id, Type, from, to, help) static_assert(id == Type::kType, #Type);
#include "common/msg/messages.inc"
#undef MSG
}

TEST(Message, EveryTypeRoundTripsAndRefusesTruncation) {
  Rng rng(1);
  for (int round = 0; round < 40; round++) {
#define MSG(id, Type, from, to, help) expect_properties<Type>(rng);
#include "common/msg/messages.inc"
#undef MSG
  }
}

TEST(Message, GoldenSubscribe) {
  MMonSubscribe sub;
  sub.what = {{"config", {}}, {"monmap", {}}};
  sub.hostname = "vm";
  const Bytes golden = unhex(
      "0200000006000000636f6e666967000000000000000000060000006d6f6e6d6170"
      "000000000000000000"
      "02000000766d");
  EXPECT_EQ(to_raw(sub).front, golden);
  EXPECT_TRUE(*parse<MMonSubscribe>(raw_of<MMonSubscribe>(golden)) == sub);
}

TEST(Message, GoldenOsdOp) {
  const Bytes golden = unhex(
      "01011200000001010000000000000006000000ffffffffff"
      "06f4c17f"
      "14000000"
      "24004000"
      "020215000000000000000000000000000000000000000000000000"
      "000000000000000000000000000000000000000000000000"
      "00000000"
      "8750006b8b783608"
      "06031c0000000100000000000000ffffffff0000000000000000ffffffffffffffff"
      "03000000666f6f"
      "0100"
      "0222000000000000000000000000102700000000000000000000000000000000000010270000"
      "feffffffffffffff"
      "0000000000000000"
      "00000000"
      "00000000"
      "fffffdffbdcf013f");
  ASSERT_EQ(golden.size(), 212u);
  const Bytes payload = Bytes::zeros(10000);
  auto op = parse<MOsdOp>(raw_of<MOsdOp>(golden, payload));
  ASSERT_TRUE(op) << op.error().to_string();
  EXPECT_EQ(op->oid, "foo");
  EXPECT_EQ(op->hash, 0x7fc1f406u);
  EXPECT_EQ(op->epoch, 20u);
  EXPECT_TRUE(op->is_write());
  ASSERT_EQ(op->ops.size(), 1u);
  EXPECT_EQ(op->ops[0].code, OpCode::kWriteFull);
  EXPECT_EQ(op->ops[0].as<Extent>().length, 10000u);
  EXPECT_EQ(op->ops[0].indata.data(), payload.data()) << "payloads are slices";
  EXPECT_EQ(to_raw(*op).front, golden);
  EXPECT_EQ(to_raw(*op).data.data(), payload.data());

  RawMessage old = raw_of<MOsdOp>(golden, payload);
  old.version = 7;
  EXPECT_EQ(parse<MOsdOp>(old).error().text(), "osd_op version 7 is too old");
  EXPECT_EQ(parse<MOsdOp>(raw_of<MOsdOp>(golden, payload.slice(1))).error().text(),
            "malformed osd_op: operations declare 10000 bytes of payload, the message has 9999");
}

TEST(Message, GoldenOsdOpReply) {
  const Bytes golden = unhex(
      "03000000666f6f"
      "01010000000000000006000000ffffffff"
      "2500400000000000"
      "00000000"
      "8d0300000000000014000000"
      "14000000"
      "01000000"
      "0222000000000000000000000000102700000000000000000000000000000000000000000000"
      "00000000"
      "00000000"
      "8d0300000000000014000000"
      "8d03000000000000"
      "00"
      "000000000000000000000000000000000000000000000000");
  auto reply = parse<MOsdOpReply>(raw_of<MOsdOpReply>(golden));
  ASSERT_TRUE(reply) << reply.error().to_string();
  EXPECT_EQ(reply->replay_version.to_string(), "20'909");
  EXPECT_EQ(reply->user_version, 909u);
  EXPECT_EQ(to_raw(*reply).front, golden);
}

TEST(OsdOp, ArgumentsKeepTheirPlaces) {
  OsdOp op(OpCode::kWatch, WatchArgs{1, 2, WatchArgs::kPing, 4, 5});
  const std::array<uint8_t, 28> want{1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0,
                                     0, 0, 7, 4, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(op.args, want);
  EXPECT_EQ(op.as<WatchArgs>().timeout, 5u);
  op.set(ClsArgs{1, 2, 3, 0x04030201});
  EXPECT_EQ(op.as<ClsArgs>().indata_len, 0x04030201u);
  EXPECT_TRUE(op.is_write());
}

}  // namespace plimsoll::msg
