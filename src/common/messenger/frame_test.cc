// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames against bytes seen from stock clients (wire.md 14), and every way in which one can be bad.
#include <gtest/gtest.h>

#include "common/base/crc32c.h"
#include "common/messenger/auth_none.h"
#include "common/messenger/handshake_frames.h"

namespace plimsoll::messenger {

namespace {

constexpr uint64_t kMax = 160 << 20;

std::string unhex(std::string_view text) {
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(text.substr(i, 2)), nullptr, 16));
  return out;
}

std::string joined(FrameWriter& w) {
  std::string out;
  for (const Bytes& b : w.take()) out += b.view();
  return out;
}

template <class F>
std::string frame_of(const F& frame) {
  FrameWriter w;
  add_frame(w, frame);
  return joined(w);
}

std::string message_frame(const MessageHeader& header, const msg::RawMessage& m) {
  FrameWriter w;
  w.add(header, m);
  const size_t announced = w.size();
  const std::string out = joined(w);
  EXPECT_EQ(announced, out.size());
  return out;
}

std::span<const uint8_t> bytes(const std::string& s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}

Result<Preamble> parse(const std::string& frame) {
  return parse_preamble(bytes(frame).first<kPreambleBytes>(), kMax);
}

/// A preamble with these fields and a right crc.
std::string preamble(uint8_t tag, uint8_t segments, std::array<uint32_t, 4> lengths,
                     uint8_t flags = 0) {
  std::string p(kPreambleBytes, '\0');
  p[0] = static_cast<char>(tag);
  p[1] = static_cast<char>(segments);
  for (size_t i = 0; i < 4; i++) std::memcpy(&p[2 + 6 * i], &lengths[i], 4);
  p[26] = static_cast<char>(flags);
  const uint32_t crc = crc32c(0, std::string_view(p).substr(0, 28));
  std::memcpy(&p[28], &crc, 4);
  return p;
}

std::string error_of(const std::string& raw) {
  auto p = parse(raw);
  return p ? "accepted" : p.error().text();
}

}  // namespace

TEST(Frame, GoldenHandshake) {
  EXPECT_EQ(frame_of(HelloFrame{EntityType::kClient, *EntityAddr::parse("v2:127.0.0.1:3300/0")}),
            unhex("010124000000080000000000000000000000000000000000000000003fbd6b06"
                  "080101011c00000002000000000000001000000002000ce47f0000010000000000000000"
                  "7d883e07"));
  AuthNone auth(EntityType::kClient, "admin");
  const AuthRequestFrame request{kAuthMethodNone, {kConModeCrc}, auth.request(EntityType::kMon, 0)};
  EXPECT_EQ(
      frame_of(request),
      unhex(
          "020126000000080000000000000000000000000000000000000000008c5ee4be"
          "010000000100000001000000160000000a080000000500000061646d696e0000000000000000d8ede50c"));
  EXPECT_EQ(frame_of(AuthDoneFrame{0x107a, kConModeCrc, {}}),
            unhex("060110000000080000000000000000000000000000000000000000005b0630a6"
                  "7a1000000000000001000000000000001367d69a"));
}

TEST(Frame, GoldenIdents) {
  const Bytes client = Bytes::take(
      unhex("02010000000101011c0000000300000061c7630c10000000020000007f0000010000000000000000"
            "0101011c00000002000000000000001000000002000ce47f0000010000000000000000"
            "ffffffffffffffff0100000000000000fffffdffbdcf013f00100000000000080100000000000000000000"
            "0000000000"));
  auto ident = wire::from_bytes<ClientIdentFrame>(client, "client_ident");
  ASSERT_TRUE(ident);
  EXPECT_EQ(ident->gid, -1);
  EXPECT_EQ(ident->features, kFeatures);
  EXPECT_EQ(ident->flags, kIdentLossy);
  EXPECT_EQ(ident->addrs.addrs.at(0).type, EntityAddr::kAny);
  EXPECT_EQ(ident->target.port, 3300);
  EXPECT_EQ(wire::to_bytes(*ident), client);

  const Bytes server = Bytes::take(
      unhex("02010000000101011c00000002000000000000001000000002000ce47f0000010000000000000000"
            "00000000000000007b00000000000000fffffdffbdcf013f000004420002010c0100000000000000000000"
            "0000000000"));
  auto reply = wire::from_bytes<ServerIdentFrame>(server, "server_ident");
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->required, kFeaturesRequired);
  EXPECT_EQ(wire::to_bytes(*reply), server);
}

TEST(Frame, GoldenMessages) {
  msg::RawMessage get_map;
  EXPECT_EQ(message_frame(MessageHeader{1, 0, 5, 127, 1, 0, 1}, get_map),
            unhex("11012900000008000000000000000000000000000000000000000000af9604f0"
                  "0100000000000000000000000000000005007f000100000000000000000000000000000003010000"
                  "00073be540"));
  msg::RawMessage sub;
  sub.front =
      Bytes::take(unhex("0200000006000000636f6e666967000000000000000000060000006d6f6e6d61"
                        "7000000000000000000002000000766d"));
  EXPECT_EQ(message_frame(MessageHeader{2, 0, 15, 127, 3, 0, 1}, sub),
            unhex("110229000000080030000000080000000000000000000000000000002d2fbe15"
                  "020000000000000000000000000000000f007f000300000000000000000000000000000003010000"
                  "001f2504bd"
                  "0200000006000000636f6e666967000000000000000000060000006d6f6e6d61"
                  "7000000000000000000002000000766d"
                  "0e804d2c730000000000000000"));
}

TEST(Frame, LargeSegmentsAreReferredTo) {
  msg::RawMessage m;
  m.front = Bytes::copy("front");
  m.data = Bytes::zeros(10000);
  FrameWriter w;
  w.add(MessageHeader{}, m);
  const std::vector<Bytes> pieces = w.take();
  ASSERT_EQ(pieces.size(), 3u);
  EXPECT_EQ(pieces[1].data(), m.data.data());
  // A message without a middle still has four segments; the empty one's crc is the seed.
  EXPECT_EQ(parse(pieces[0].to_string())->segments, 4);
  EXPECT_EQ(pieces[2].to_string().substr(5, 4), unhex("ffffffff"));
}

TEST(Frame, BadPreamblesAreNamed) {
  EXPECT_EQ(error_of(preamble(18, 1, {8, 0, 0, 0})), "accepted");
  EXPECT_EQ(error_of(std::string(kPreambleBytes, 'x')), "preamble crc mismatch");
  EXPECT_EQ(error_of(preamble(0, 1, {8, 0, 0, 0})), "unknown frame tag 0");
  EXPECT_EQ(error_of(preamble(77, 1, {8, 0, 0, 0})), "unknown frame tag 77");
  EXPECT_EQ(error_of(preamble(17, 0, {41, 0, 0, 0})), "frame with 0 segments");
  EXPECT_EQ(error_of(preamble(17, 5, {41, 1, 1, 1})), "frame with 5 segments");
  EXPECT_EQ(error_of(preamble(17, 1, {41, 1, 0, 0})), "length of a segment that does not exist");
  EXPECT_EQ(error_of(preamble(17, 2, {41, 0, 0, 0})), "last segment is empty");
  EXPECT_EQ(error_of(preamble(17, 1, {40, 0, 0, 0})), "message header of 40 bytes");
  EXPECT_EQ(error_of(preamble(17, 1, {41, 0, 0, 0}, 1)), "frame flags 0x1 were not negotiated");
  EXPECT_EQ(error_of(preamble(1, 2, {8, 8, 0, 0})), "hello frame with 2 segments");
  EXPECT_EQ(error_of(preamble(1, 1, {65537, 0, 0, 0})),
            "hello frame: segment 0 has 65537 bytes, the limit is 65536");
  EXPECT_EQ(error_of(preamble(17, 4, {41, 0xffffffff, 0, 1})),
            "message frame: segment 1 has 4294967295 bytes, the limit is 16777216");
  EXPECT_EQ(error_of(preamble(17, 4, {41, 0, 0, (128 << 20) + 1})),
            "message frame: segment 3 has 134217729 bytes, the limit is 134217728");
  const std::string fair = preamble(17, 4, {41, 0, 0, 2000});
  EXPECT_EQ(parse_preamble(bytes(fair).first<kPreambleBytes>(), 2000).error().text(),
            "frame of 2041 bytes, the limit is 2000");
}

TEST(Frame, BadCrcsAreNamed) {
  msg::RawMessage m;
  m.front = Bytes::copy("front");
  m.data = Bytes::copy("data");
  const std::string frame = message_frame(MessageHeader{1, 2, 42, 63, 8, 0, 3}, m);
  const Preamble p = *parse(frame);
  std::string first = frame.substr(kPreambleBytes, p.first_bytes());
  EXPECT_TRUE(check_first(bytes(first)));
  first[3]++;
  EXPECT_EQ(check_first(bytes(first)).error().text(), "segment 0 crc mismatch");

  std::string epilogue = frame.substr(frame.size() - kEpilogueBytes);
  auto check = [&](std::string_view front, std::string_view data) {
    const std::array<std::string_view, 4> segments{"", front, "", data};
    auto r = check_epilogue(p, bytes(epilogue).first<kEpilogueBytes>(), segments);
    return r ? std::string("accepted") : r.error().text();
  };
  EXPECT_EQ(check("front", "data"), "accepted");
  EXPECT_EQ(check("fr0nt", "data"), "segment 1 crc mismatch");
  EXPECT_EQ(check("front", "dat4"), "segment 3 crc mismatch");
  epilogue[0] = 0x01;
  EXPECT_EQ(check("front", "data"), "frame aborted by its sender");
  epilogue[0] = 0x05;
  EXPECT_EQ(check("front", "data"), "late status 0x5");
}

TEST(AuthNone, AssignsIdsToThoseWithoutOne) {
  AuthNone mon(EntityType::kMon, "a", [] { return uint64_t{4123}; });
  AuthNone client(EntityType::kClient, "admin");
  auto first = mon.accept(kAuthMethodNone, client.request(EntityType::kMon, 0));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->global_id, 4123u);
  EXPECT_EQ(first->id, "admin");
  EXPECT_EQ(mon.accept(kAuthMethodNone, client.request(EntityType::kMon, 7))->global_id, 7u);
  EXPECT_EQ(mon.accept(kAuthMethodCephx, client.request(EntityType::kMon, 0)).error().code(),
            EOPNOTSUPP);
  EXPECT_EQ(mon.accept(kAuthMethodNone, Bytes::copy("short")).error().code(), EINVAL);
  AuthNone osd(EntityType::kOsd, "0");
  EXPECT_EQ(osd.accept(kAuthMethodNone, client.request(EntityType::kOsd, 9))->global_id, 9u);
}

}  // namespace plimsoll::messenger
