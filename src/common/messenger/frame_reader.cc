// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/frame_reader.h"

#include <algorithm>

namespace plimsoll::messenger {

Task<Result<>> FrameReader::fill(size_t n) {
  DCHECK(n <= buffer_.size());
  if (begin_ + n > buffer_.size()) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, buffered());
    end_ -= std::exchange(begin_, 0);
  }
  while (buffered() < n) {
    const std::span<uint8_t> room = buffer_.span().subspan(end_);
    CO_TRY(got, co_await stream_.read_some(room));
    if (got == 0) co_return fail(ECONNRESET, "closed by the peer");
    end_ += got;
  }
  co_return Result<>();
}

std::span<const uint8_t> FrameReader::consume(size_t n) {
  const std::span<const uint8_t> out(buffer_.data() + begin_, n);
  begin_ += n;
  if (begin_ == end_) begin_ = end_ = 0;
  return out;
}

Task<Result<std::span<const uint8_t>>> FrameReader::raw(size_t n) {
  if (buffered() < n) CO_TRY_VOID(co_await fill(n));
  co_return consume(n);
}

Task<Result<>> FrameReader::read_into(uint8_t* into, size_t n) {
  const size_t have = std::min(n, buffered());
  const auto ready = consume(have);
  std::copy(ready.begin(), ready.end(), into);
  for (size_t at = have; at < n;) {
    const std::span<uint8_t> rest(into + at, n - at);
    CO_TRY(got, co_await stream_.read_some(rest));
    if (got == 0) co_return fail(ECONNRESET, "closed by the peer");
    at += got;
  }
  co_return Result<>();
}

Task<Result<>> FrameReader::read_payload(const Preamble& p, msg::RawMessage& m) {
  const size_t total = p.payload_bytes();
  if (total <= kSmallBytes) {
    // In one piece, whose parts the segments are.
    const size_t wanted = total + p.epilogue_bytes();
    if (buffered() < wanted) CO_TRY_VOID(co_await fill(wanted));
    Buffer memory(total, p.lengths[3] == total ? 4096 : 8);
    std::copy_n(consume(total).data(), total, memory.data());
    const Bytes all = Bytes::take(std::move(memory));
    m.front = all.slice(0, p.lengths[1]);
    m.middle = all.slice(p.lengths[1], p.lengths[2]);
    m.data = all.slice(size_t{p.lengths[1]} + p.lengths[2]);
    co_return Result<>();
  }
  Bytes* const segments[] = {&m.front, &m.middle, &m.data};
  for (size_t i = 1; i < kMaxSegments; i++) {
    if (p.lengths[i] == 0) continue;
    Buffer memory(p.lengths[i], i == 3 ? 4096 : 8);
    CO_TRY_VOID(co_await read_into(memory.data(), memory.size()));
    *segments[i - 1] = Bytes::take(std::move(memory));
  }
  co_return Result<>();
}

Task<Result<Frame>> FrameReader::next(Throttle* throttle, uint64_t max_bytes) {
  for (;;) {
    if (buffered() < kPreambleBytes) CO_TRY_VOID(co_await fill(kPreambleBytes));
    const auto raw_preamble = consume(kPreambleBytes).first<kPreambleBytes>();
    CO_TRY(p, parse_preamble(raw_preamble, max_bytes));
    Frame frame;
    frame.tag = p.tag;
    if (p.tag != Tag::kMessage) {
      Buffer memory(p.first_bytes());
      CO_TRY_VOID(co_await read_into(memory.data(), memory.size()));
      CO_TRY_VOID(check_first(memory.span()));
      frame.payload = Bytes::take(std::move(memory)).slice(0, p.lengths[0]);
      co_return frame;
    }

    if (buffered() < p.first_bytes()) CO_TRY_VOID(co_await fill(p.first_bytes()));
    const auto head = consume(p.first_bytes());
    CO_TRY_VOID(check_first(head));
    ByteReader r(Bytes::literal({reinterpret_cast<const char*>(head.data()), kMessageHeaderBytes}));
    wire::decode(frame.header, r);

    if (throttle) {
      const uint64_t bytes = kMessageCharge + p.payload_bytes();
      frame.message.throttle = throttle->try_acquire(bytes);
      if (!frame.message.throttle) frame.message.throttle = co_await throttle->acquire(bytes);
    }
    if (p.segments > 1) {
      CO_TRY_VOID(co_await read_payload(p, frame.message));
      if (buffered() < kEpilogueBytes) CO_TRY_VOID(co_await fill(kEpilogueBytes));
      const auto epilogue = consume(kEpilogueBytes).first<kEpilogueBytes>();
      const std::array<std::string_view, kMaxSegments> segments{
          std::string_view(), frame.message.front.view(), frame.message.middle.view(),
          frame.message.data.view()};
      auto checked = check_epilogue(p, epilogue, segments);
      if (!checked && checked.error().code() == ECONNABORTED) continue;
      if (!checked) co_return checked.error();
    }
    co_return frame;
  }
}

}  // namespace plimsoll::messenger
