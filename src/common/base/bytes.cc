// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/bytes.h"

#include <algorithm>
#include <new>

namespace plimsoll {

Buffer::Buffer(size_t size, size_t align)
    : data_(
          static_cast<uint8_t*>(::operator new(std::max<size_t>(size, 1), std::align_val_t(align))),
          Free{align}),
      size_(size) {}

void Buffer::Free::operator()(uint8_t* p) const { ::operator delete(p, std::align_val_t(align)); }

Bytes Bytes::copy(std::string_view data) { return take(std::string(data)); }

Bytes Bytes::take(std::string data) {
  if (data.empty()) return {};
  auto owner = std::make_shared<const std::string>(std::move(data));
  Bytes out;
  out.data_ = reinterpret_cast<const uint8_t*>(owner->data());
  out.size_ = owner->size();
  out.owner_ = std::move(owner);
  return out;
}

Bytes Bytes::take(Buffer data) {
  auto owner = std::make_shared<const Buffer>(std::move(data));
  Bytes out;
  out.data_ = owner->data();
  out.size_ = owner->size();
  out.owner_ = std::move(owner);
  return out;
}

Bytes Bytes::zeros(size_t size) {
  static constexpr size_t kShared = 4096;
  alignas(4096) static const uint8_t zero[kShared] = {};
  if (size <= kShared) return literal({reinterpret_cast<const char*>(zero), size});
  Buffer buffer(size, 4096);
  std::memset(buffer.data(), 0, size);
  return take(std::move(buffer));
}

Bytes Bytes::literal(std::string_view data) {
  Bytes out;
  out.data_ = reinterpret_cast<const uint8_t*>(data.data());
  out.size_ = data.size();
  return out;
}

Bytes Bytes::slice(size_t offset, size_t length) const {
  Bytes out = *this;
  offset = std::min(offset, size_);
  out.data_ += offset;
  out.size_ = std::min(length, size_ - offset);
  return out;
}

Bytes ByteReader::raw(size_t n) {
  if (remaining() < n) {
    fail("truncated");
    return {};
  }
  Bytes out = data_.slice(pos_, n);
  pos_ += n;
  return out;
}

uint32_t ByteReader::count(size_t min_size) {
  uint32_t n = u32();
  if (n > remaining() / std::max<size_t>(min_size, 1)) {
    fail("count exceeds the data");
    return 0;
  }
  return n;
}

size_t ByteReader::enter(size_t n) {
  size_t outer_end = end_;
  if (n > remaining()) {
    fail("length exceeds the data");
    return outer_end;
  }
  end_ = pos_ + n;
  return outer_end;
}

void ByteReader::leave(size_t outer_end) {
  // After a failure inside, everything that follows is failed as well: stay at the end.
  pos_ = ok_ ? end_ : outer_end;
  end_ = outer_end;
}

}  // namespace plimsoll
