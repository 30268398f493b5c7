// SPDX-License-Identifier: LGPL-2.1-or-later
// msgr2.1 frames in crc mode (wire.md 2.2): a 32-byte preamble, up to four segments, crcs. Pure:
// bytes in, bytes out. Lengths are judged from the preamble alone, before anything is allocated for
// them.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "common/msg/message.h"

namespace plimsoll::messenger {

enum class Tag : uint8_t {
  kHello = 1,
  kAuthRequest,
  kAuthBadMethod,
  kAuthReplyMore,
  kAuthRequestMore,
  kAuthDone,
  kAuthSignature,
  kClientIdent,
  kServerIdent,
  kIdentMissingFeatures,
  kSessionReconnect,
  kSessionReset,
  kSessionRetry,
  kSessionRetryGlobal,
  kSessionReconnectOk,
  kWait,
  kMessage,
  kKeepalive2,
  kKeepalive2Ack,
  kAck,
};
/// "hello", "message"; "tag 77" for unknown ones.
std::string tag_name(Tag tag);

inline constexpr size_t kMaxSegments = 4;
inline constexpr size_t kPreambleBytes = 32;
inline constexpr size_t kEpilogueBytes = 13;
inline constexpr size_t kMessageHeaderBytes = 41;

/// Most that a peer may send in one frame.
inline constexpr uint32_t kMaxControlBytes = 64 << 10;
inline constexpr uint32_t kMaxFrontBytes = 16 << 20;
inline constexpr uint32_t kMaxMiddleBytes = 16 << 20;
inline constexpr uint32_t kMaxDataBytes = 128 << 20;

struct Preamble {
  Tag tag{};
  uint8_t segments = 0;
  std::array<uint32_t, kMaxSegments> lengths{};

  /// Bytes of segment 0 with its crc.
  size_t first_bytes() const { return lengths[0] ? lengths[0] + size_t{4} : 0; }
  /// Bytes of the segments after the first.
  size_t payload_bytes() const { return size_t{lengths[1]} + lengths[2] + lengths[3]; }
  size_t epilogue_bytes() const { return segments > 1 ? kEpilogueBytes : 0; }
};
/// EBADMSG names what is wrong; `max_bytes` limits the whole frame (ms_max_frame_bytes).
Result<Preamble> parse_preamble(std::span<const uint8_t, kPreambleBytes> raw, uint64_t max_bytes);

/// Checks segment 0 against the crc behind it.
Result<> check_first(std::span<const uint8_t> segment_and_crc);
/// Checks the later segments against the epilogue. ECONNABORTED: the sender gave up on this frame,
/// which is to be discarded.
Result<> check_epilogue(const Preamble& p, std::span<const uint8_t, kEpilogueBytes> raw,
                        const std::array<std::string_view, kMaxSegments>& segments);

/// Segment 0 of a message.
struct MessageHeader {
  uint64_t seq = 0;
  uint64_t tid = 0;
  uint16_t type = 0;
  uint16_t priority = 0;
  uint16_t version = 0;
  uint64_t ack_seq = 0;
  uint16_t compat = 0;
  template <class F>
  void fields(F& f) {
    f("seq", seq);
    f("tid", tid);
    f("type", type);
    f("priority", priority);
    f("version", version);
    f.constant("data_pre_padding_len", uint32_t{0});
    f.constant("data_off", uint16_t{0});
    f("ack_seq", ack_seq);
    f.constant("flags", uint8_t{3});  // complete, no crcs of its own
    f("compat", compat);
    f.constant("reserved", uint16_t{0});
  }
  bool operator==(const MessageHeader&) const = default;
};

/// Makes frames for one gathered write: everything small is copied into shared chunks, large
/// segments are referred to.
class FrameWriter {
 public:
  void add(Tag tag, std::string_view payload);
  void add(const MessageHeader& header, const msg::RawMessage& message);
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }
  /// The frames since the last take(), in order.
  std::vector<Bytes> take();

 private:
  /// From here on a reference costs less than the copy.
  static constexpr size_t kReferBytes = 2048;

  void preamble(Tag tag, uint8_t segments, const std::array<uint32_t, kMaxSegments>& lengths);
  void segment(const Bytes& data);
  void flush();

  ByteWriter chunk_;
  std::vector<Bytes> pieces_;
  size_t size_ = 0;
};

}  // namespace plimsoll::messenger
