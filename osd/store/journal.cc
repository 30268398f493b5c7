// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/journal.h"

#include "common/base/crc32c.h"

namespace plimsoll::osd {

namespace {

constexpr std::string_view kStateMagic = "plimsoll journal";
constexpr uint64_t kRecordMagic = 0x64726f6365720a01;  // "\1\nrecord"

/// At the front of a record; the crc covers all behind it, to the payload's end.
struct Head {
  uint64_t magic = kRecordMagic;
  uint32_t crc = 0;
  uint32_t length = 0;  ///< of the payload
  Uuid instance;
  uint64_t openings = 0;
  uint64_t sequence = 0;
};
static_assert(sizeof(Head) == Journal::kHead && std::has_unique_object_representations_v<Head>);
constexpr size_t kCrcFrom = offsetof(Head, length);

uint32_t record_crc(std::string_view record) {
  return crc32c(0xffffffff, record.substr(kCrcFrom));
}

}  // namespace

Journal::Journal(std::unique_ptr<BlockFile> file)
    : file_(std::move(file)), ring_(round_down(file_->size(), kBlock) - kRing) {}

// ---- state --------------------------------------------------------------------------------------

Task<Result<>> Journal::make(BlockFile& file, Uuid instance) {
  State state;
  state.instance = instance;
  state.ring = round_down(file.size(), kBlock) - kRing;
  // Both copies, since an earlier journal in this place may have left its own.
  CO_TRY_VOID(co_await write_state(file, state));
  state.generation++;
  co_return co_await write_state(file, state);
}

Task<Result<>> Journal::write_state(BlockFile& file, State state) {
  const Bytes block = checked_block(kStateMagic, wire::to_bytes(state).view());
  co_return co_await file.write_durable(state.generation % 2 * kBlock, block);
}

Task<Result<>> Journal::open(Uuid instance) {
  if (file_->size() < kMinSize) co_return fail(EINVAL, "is too short");
  std::optional<State> best;
  std::string why;
  for (const uint64_t at : {uint64_t{0}, kBlock}) {
    CO_TRY(block, co_await file_->read(at, kBlock));
    auto body = open_checked_block(kStateMagic, block, "journal state");
    auto copy = body ? wire::from_bytes<State>(*body, "journal state") : body.error();
    if (!copy) why = copy.error().text();
    else if (!best || copy->generation > best->generation) best = *copy;
  }
  if (!best) co_return fail(EINVAL, why);
  if (best->instance != instance)
    co_return fail(EINVAL, "does not belong to the block file beside it");
  if (best->ring != ring_) co_return fail(EINVAL, "has another size than when it was made");
  state_ = *best;
  next_sequence_ = state_.sequence;
  head_ = freed_ = state_.position;
  co_return Result<>();
}

// ---- replay -------------------------------------------------------------------------------------

Task<Result<std::optional<Bytes>>> Journal::read_at(uint64_t position) {
  const uint64_t room = ring_ - position % ring_;
  CO_TRY(first, co_await file_->read(offset(position), kBlock));
  Head head;
  std::memcpy(&head, first.data(), sizeof head);
  if (head.magic != kRecordMagic || head.instance != state_.instance ||
      head.openings != state_.openings || head.sequence != next_sequence_ ||
      kHead + uint64_t{head.length} > room)
    co_return std::nullopt;
  CO_TRY(record, co_await file_->read(offset(position), kHead + head.length));
  if (record_crc(record.view()) != head.crc) co_return std::nullopt;
  co_return record.slice(kHead);
}

Task<Result<std::optional<Bytes>>> Journal::next() {
  for (const uint64_t at : {head_, round_up(head_, ring_)}) {
    CO_TRY(payload, co_await read_at(at));
    if (!payload) continue;
    head_ = at + buffer_size(payload->size());
    next_sequence_++;
    co_return std::move(payload);
  }
  co_return std::nullopt;
}

Task<Result<>> Journal::restart() {
  State state = state_;
  state.generation++;
  state.openings++;
  state.sequence = next_sequence_;
  state.position = head_;
  CO_TRY_VOID(co_await write_state(*file_, state));
  state_ = state;
  freed_ = head_;
  co_return Result<>();
}

// ---- writing ------------------------------------------------------------------------------------

uint64_t Journal::place(uint64_t size) const {
  return head_ % ring_ + size <= ring_ ? head_ : round_up(head_, ring_);
}

bool Journal::fits(size_t payload) const {
  const size_t size = buffer_size(payload);
  return place(size) + size <= freed_ + ring_;
}

Task<Result<>> Journal::append(Buffer record, size_t payload) {
  const size_t size = record.size();
  CHECK(can_hold(payload) && fits(payload) && size == buffer_size(payload));
  Head head;
  head.length = static_cast<uint32_t>(payload);
  head.instance = state_.instance;
  head.openings = state_.openings;
  head.sequence = next_sequence_++;
  std::memcpy(record.data(), &head, sizeof head);
  const std::string_view all(reinterpret_cast<const char*>(record.data()), kHead + payload);
  head.crc = record_crc(all);
  std::memcpy(record.data(), &head, sizeof head);

  const uint64_t at = place(size);
  live_.push_back({head.sequence, at});
  head_ = at + size;
  Bytes data = Bytes::take(std::move(record));
  if (fault_not_durable) {
    std::vector<Bytes> pieces(1, data);
    co_return co_await file_->write(offset(at), std::move(pieces));
  }
  co_return co_await file_->write_durable(offset(at), std::move(data));
}

Task<Result<>> Journal::trim(uint64_t sequence) {
  while (!live_.empty() && live_.front().sequence <= sequence) live_.pop_front();
  State state = state_;
  state.sequence = live_.empty() ? next_sequence_ : live_.front().sequence;
  state.position = live_.empty() ? head_ : live_.front().position;
  if (state.sequence == state_.sequence) co_return Result<>();
  state.generation++;
  CO_TRY_VOID(co_await write_state(*file_, state));
  state_ = state;
  freed_ = state.position;
  co_return Result<>();
}

}  // namespace plimsoll::osd
