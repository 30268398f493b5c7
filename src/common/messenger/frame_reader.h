// SPDX-License-Identifier: LGPL-2.1-or-later
// FrameReader: frames from a byte stream. Reads ahead into one buffer, so that several small frames
// cost one read; what does not fit there (large data segments) is read straight into its own
// memory.
#pragma once

#include "common/messenger/frame.h"
#include "common/messenger/throttle.h"
#include "common/rt/net.h"

namespace plimsoll::messenger {

struct Frame {
  Tag tag{};
  MessageHeader header;     ///< of kMessage
  Bytes payload;            ///< of all others
  msg::RawMessage message;  ///< of kMessage; its segments, with `throttle` set
};

class FrameReader {
 public:
  explicit FrameReader(Stream& stream) : stream_(stream), buffer_(kReadAhead) {}

  /// Bytes of a frame are taken from `throttle` (may be null) before its payload is read.
  /// ECONNRESET at the end of the stream, EBADMSG for what is no frame; the stream is of no use
  /// after either.
  Task<Result<Frame>> next(Throttle* throttle, uint64_t max_bytes);
  /// The next `n` bytes (at most kReadAhead) outside of frames.
  Task<Result<std::span<const uint8_t>>> raw(size_t n);

 private:
  static constexpr size_t kReadAhead = 32 << 10;
  /// Payloads up to this go into one piece of memory.
  static constexpr size_t kSmallBytes = 4096;
  /// What a message costs besides its bytes: bounds the number of empty ones.
  static constexpr uint64_t kMessageCharge = 256;

  size_t buffered() const { return end_ - begin_; }
  /// Makes at least `n` bytes buffered.
  Task<Result<>> fill(size_t n);
  std::span<const uint8_t> consume(size_t n);
  /// From the buffer, then from the stream.
  Task<Result<>> read_into(uint8_t* into, size_t n);
  Task<Result<>> read_payload(const Preamble& p, msg::RawMessage& m);

  Stream& stream_;
  Buffer buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
};

}  // namespace plimsoll::messenger
