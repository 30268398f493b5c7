// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/frame.h"

#include <fmt/core.h>

#include "common/base/crc32c.h"

namespace plimsoll::messenger {

namespace {

constexpr uint32_t kSeed = 0xffffffff;
constexpr uint8_t kComplete = 0x0e;
constexpr uint8_t kAborted = 0x01;

std::string_view text(std::span<const uint8_t> s) {
  return {reinterpret_cast<const char*>(s.data()), s.size()};
}

template <class T>
T load(const uint8_t* at) {
  T v;
  std::memcpy(&v, at, sizeof v);
  return v;
}

Result<> check_lengths(const Preamble& p, uint64_t max_bytes) {
  const bool message = p.tag == Tag::kMessage;
  if (!message && p.segments != 1)
    return fail(EBADMSG, fmt::format("{} frame with {} segments", tag_name(p.tag), p.segments));
  if (message && p.lengths[0] != kMessageHeaderBytes)
    return fail(EBADMSG, fmt::format("message header of {} bytes", p.lengths[0]));
  const std::array<uint32_t, kMaxSegments> limits{kMaxControlBytes, kMaxFrontBytes, kMaxMiddleBytes,
                                                  kMaxDataBytes};
  for (size_t i = 0; i < kMaxSegments; i++)
    if (p.lengths[i] > limits[i])
      return fail(EBADMSG, fmt::format("{} frame: segment {} has {} bytes, the limit is {}",
                                       tag_name(p.tag), i, p.lengths[i], limits[i]));
  const uint64_t total = uint64_t{p.lengths[0]} + p.payload_bytes();
  if (total > max_bytes)
    return fail(EBADMSG, fmt::format("frame of {} bytes, the limit is {}", total, max_bytes));
  return {};
}

}  // namespace

std::string tag_name(Tag tag) {
  static constexpr const char* kNames[] = {"?",
                                           "hello",
                                           "auth_request",
                                           "auth_bad_method",
                                           "auth_reply_more",
                                           "auth_request_more",
                                           "auth_done",
                                           "auth_signature",
                                           "client_ident",
                                           "server_ident",
                                           "ident_missing_features",
                                           "session_reconnect",
                                           "session_reset",
                                           "session_retry",
                                           "session_retry_global",
                                           "session_reconnect_ok",
                                           "wait",
                                           "message",
                                           "keepalive2",
                                           "keepalive2_ack",
                                           "ack"};
  const auto n = static_cast<size_t>(tag);
  return n > 0 && n < std::size(kNames) ? kNames[n] : fmt::format("tag {}", n);
}

Result<Preamble> parse_preamble(std::span<const uint8_t, kPreambleBytes> raw, uint64_t max_bytes) {
  if (crc32c(0, text(raw.first(28))) != load<uint32_t>(&raw[28]))
    return fail(EBADMSG, "preamble crc mismatch");
  Preamble p;
  p.tag = static_cast<Tag>(raw[0]);
  p.segments = raw[1];
  if (p.tag < Tag::kHello || p.tag > Tag::kAck)
    return fail(EBADMSG, fmt::format("unknown frame {}", tag_name(p.tag)));
  if (p.segments < 1 || p.segments > kMaxSegments)
    return fail(EBADMSG, fmt::format("frame with {} segments", p.segments));
  if (raw[26]) return fail(EBADMSG, fmt::format("frame flags {:#x} were not negotiated", raw[26]));
  for (size_t i = 0; i < kMaxSegments; i++) {
    p.lengths[i] = load<uint32_t>(&raw[2 + 6 * i]);
    if (i >= p.segments && p.lengths[i])
      return fail(EBADMSG, "length of a segment that does not exist");
  }
  if (p.segments > 1 && p.lengths[p.segments - 1] == 0)
    return fail(EBADMSG, "last segment is empty");
  TRY_VOID(check_lengths(p, max_bytes));
  return p;
}

Result<> check_first(std::span<const uint8_t> segment_and_crc) {
  if (segment_and_crc.empty()) return {};
  const size_t length = segment_and_crc.size() - 4;
  if (crc32c(kSeed, text(segment_and_crc.first(length))) !=
      load<uint32_t>(&segment_and_crc[length]))
    return fail(EBADMSG, "segment 0 crc mismatch");
  return {};
}

Result<> check_epilogue(const Preamble& p, std::span<const uint8_t, kEpilogueBytes> raw,
                        const std::array<std::string_view, kMaxSegments>& segments) {
  const uint8_t status = raw[0] & 0x0f;
  if (status == kAborted) return fail(ECONNABORTED, "frame aborted by its sender");
  if (status != kComplete) return fail(EBADMSG, fmt::format("late status {:#x}", status));
  for (size_t i = 1; i < p.segments; i++)
    if (crc32c(kSeed, segments[i]) != load<uint32_t>(&raw[1 + 4 * (i - 1)]))
      return fail(EBADMSG, fmt::format("segment {} crc mismatch", i));
  return {};
}

// ---- writing
// --------------------------------------------------------------------------------------

void FrameWriter::preamble(Tag tag, uint8_t segments,
                           const std::array<uint32_t, kMaxSegments>& lengths) {
  uint8_t raw[kPreambleBytes] = {};
  raw[0] = static_cast<uint8_t>(tag);
  raw[1] = segments;
  for (size_t i = 0; i < segments; i++) {
    const uint16_t alignment = i == 3 ? 4096 : 8;
    std::memcpy(&raw[2 + 6 * i], &lengths[i], 4);
    std::memcpy(&raw[6 + 6 * i], &alignment, 2);
  }
  const uint32_t crc = crc32c(0, text({raw, 28}));
  std::memcpy(&raw[28], &crc, 4);
  chunk_.raw(text(raw));
}

void FrameWriter::segment(const Bytes& data) {
  if (data.size() < kReferBytes) return chunk_.raw(data.view());
  flush();
  pieces_.push_back(data);
}

void FrameWriter::flush() {
  if (chunk_.size() == 0) return;
  pieces_.push_back(chunk_.take());
  chunk_ = ByteWriter();
}

void FrameWriter::add(Tag tag, std::string_view payload) {
  preamble(tag, 1, {static_cast<uint32_t>(payload.size())});
  if (!payload.empty()) {
    chunk_.raw(payload);
    chunk_.u32(crc32c(kSeed, payload));
  }
  size_ += kPreambleBytes + payload.size() + 4;
}

void FrameWriter::add(const MessageHeader& header, const msg::RawMessage& m) {
  const uint8_t segments = m.data.size() ? 4 : m.middle.size() ? 3 : m.front.size() ? 2 : 1;
  preamble(Tag::kMessage, segments,
           {static_cast<uint32_t>(kMessageHeaderBytes), static_cast<uint32_t>(m.front.size()),
            static_cast<uint32_t>(m.middle.size()), static_cast<uint32_t>(m.data.size())});
  const size_t at = chunk_.size();
  wire::encode(header, chunk_);
  chunk_.u32(crc32c(kSeed, chunk_.view().substr(at)));
  size_ += kPreambleBytes + kMessageHeaderBytes + 4;
  if (segments == 1) return;
  segment(m.front);
  segment(m.middle);
  segment(m.data);
  chunk_.u8(kComplete);
  chunk_.u32(crc32c(kSeed, m.front.view()));
  chunk_.u32(segments > 2 ? crc32c(kSeed, m.middle.view()) : 0);
  chunk_.u32(segments > 3 ? crc32c(kSeed, m.data.view()) : 0);
  size_ += m.bytes() + kEpilogueBytes;
}

std::vector<Bytes> FrameWriter::take() {
  flush();
  size_ = 0;
  return std::exchange(pieces_, {});
}

}  // namespace plimsoll::messenger
