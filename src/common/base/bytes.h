// SPDX-License-Identifier: LGPL-2.1-or-later
// The only buffer types on data paths. Buffer: mutable, uniquely owned, aligned. Bytes: a shared,
// read-only slice of one; copying or slicing it copies no data. ByteWriter and ByteReader hold the
// little-endian primitives of the wire and the disk. ByteReader is total: past the end or after
// fail() it yields zeros, and ok() says so once at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/base/assert.h"

namespace plimsoll {

class Buffer {
 public:
  Buffer() : Buffer(0) {}
  /// Uninitialised memory; `align` is a power of two. 4096 and more for data that goes to disk.
  explicit Buffer(size_t size, size_t align = 8);

  uint8_t* data() { return data_.get(); }
  const uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  std::span<uint8_t> span() { return {data_.get(), size_}; }

 private:
  friend class Bytes;
  struct Free {
    explicit Free(size_t a = 8) : align(a) {}
    size_t align;
    void operator()(uint8_t* p) const;
  };
  std::unique_ptr<uint8_t[], Free> data_;
  size_t size_ = 0;
};

class Bytes {
 public:
  Bytes() = default;
  static Bytes copy(std::string_view data);
  static Bytes take(std::string data);
  static Bytes take(Buffer data);
  /// `size` zero bytes.
  static Bytes zeros(size_t size);
  /// A slice of memory that lives as long as the process (literals, static tables).
  static Bytes literal(std::string_view data);

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
  std::string to_string() const { return std::string(view()); }
  /// The part [offset, offset + length), cut to what exists.
  Bytes slice(size_t offset, size_t length = SIZE_MAX) const;

  friend bool operator==(const Bytes& a, const Bytes& b) { return a.view() == b.view(); }
  friend auto operator<=>(const Bytes& a, const Bytes& b) { return a.view() <=> b.view(); }

 private:
  std::shared_ptr<const void> owner_;
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

class ByteWriter {
 public:
  void u8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(uint16_t v) { put(v); }
  void u32(uint32_t v) { put(v); }
  void u64(uint64_t v) { put(v); }
  void raw(std::string_view data) { out_.append(data); }
  /// u32 length and the bytes: Ceph's string and bufferlist.
  void blob(std::string_view data) {
    u32(static_cast<uint32_t>(data.size()));
    raw(data);
  }
  size_t size() const { return out_.size(); }
  void reserve(size_t n) { out_.reserve(n); }
  /// Overwrites 4 bytes written earlier at `offset` (a length known only later).
  void patch_u32(size_t offset, uint32_t v) {
    DCHECK(offset + 4 <= out_.size());
    std::memcpy(out_.data() + offset, &v, 4);
  }
  std::string_view view() const { return out_; }
  Bytes take() { return Bytes::take(std::move(out_)); }
  std::string take_string() { return std::move(out_); }

 private:
  template <class T>
  void put(T v) {
    static_assert(std::endian::native == std::endian::little);
    char raw[sizeof v];
    std::memcpy(raw, &v, sizeof v);
    out_.append(raw, sizeof v);
  }
  std::string out_;
};

class ByteReader {
 public:
  /// Slices that blob() returns share `data`'s memory.
  explicit ByteReader(Bytes data) : data_(std::move(data)), end_(data_.size()) {}

  uint8_t u8() { return get<uint8_t>(); }
  uint16_t u16() { return get<uint16_t>(); }
  uint32_t u32() { return get<uint32_t>(); }
  uint64_t u64() { return get<uint64_t>(); }
  /// The next `n` bytes; empty and failed where they do not exist.
  Bytes raw(size_t n);
  Bytes blob() { return raw(u32()); }
  std::string str() { return blob().to_string(); }
  void skip(size_t n) { raw(n); }

  /// A container's element count; fails when even `min_size` bytes each would not fit.
  uint32_t count(size_t min_size = 1);

  size_t pos() const { return pos_; }
  size_t remaining() const { return end_ - pos_; }
  bool ok() const { return ok_; }
  const char* error() const { return error_; }
  void fail(const char* why) {
    if (ok_) error_ = why;
    ok_ = false;
    pos_ = end_;
  }

  /// Narrows the reader to the next `n` bytes until leave(); the pair nests. See wire/codec.h.
  size_t enter(size_t n);
  /// Skips what is left of the entered part and widens to `outer_end` again.
  void leave(size_t outer_end);

 private:
  template <class T>
  T get() {
    T v{};
    if (remaining() < sizeof v) {
      fail("truncated");
      return v;
    }
    std::memcpy(&v, data_.data() + pos_, sizeof v);
    pos_ += sizeof v;
    return v;
  }
  Bytes data_;
  size_t pos_ = 0;
  size_t end_ = 0;
  bool ok_ = true;
  const char* error_ = "";
};

}  // namespace plimsoll
