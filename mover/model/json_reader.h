// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON, read front to back: a document of gigabytes takes one buffer. The caller walks it with
// object() and array() and reads what it knows; what a callback leaves unread is skipped, so that
// unknown keys cost nothing to support. The first error stays: everything after it reads as empty,
// and finish() tells where it was ("pg_dump: pg_stats[3].stat_sum.num_bytes, byte 812: ...").
// Not over Boost's parser: Ceph prints bare `inf` and `nan`, which that refuses wherever they are.
// Here they are skipped where nobody asks, and an error where a number is wanted.
#pragma once

#include <array>
#include <concepts>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/stream.h"
#include "common/wire/types.h"

namespace plimsoll::mover {

/// Reads from memory; the bytes outlive it.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : rest_(bytes) {}
  Result<size_t> read(std::span<uint8_t> into) override;

 private:
  std::string_view rest_;
};

class JsonReader {
 public:
  static constexpr size_t kMaxDepth = 32;
  static constexpr size_t kMaxString = 64 << 10;

  /// `document` names the input in errors.
  JsonReader(ByteSource& source, std::string document);

  /// Calls member(key) for each; the key lives until the callback returns.
  template <class F>
  void object(F&& member) {
    if (!enter('{')) return;
    for (bool first = true; at_member(first); first = false) {
      pending_ = true;
      member(std::string_view(frames_[depth_ - 1].key));
      if (pending_) skip();
    }
    leave();
  }
  /// An object by name: each key is followed by what its value is read into, or by a function that
  /// reads it. members("epoch", epoch, "pools", [&] { read_pools(in); })
  template <class... Fields>
  void members(Fields&&... fields) {
    object([&](std::string_view key) { match(key, fields...); });
  }
  template <class F>
  void array(F&& element) {
    if (!enter('[')) return;
    for (bool first = true; at_element(first); first = false) {
      pending_ = true;
      element();
      if (pending_) skip();
    }
    leave();
  }

  /// A whole number that fits. Signed ones and bools may be numbers or true and false: Ceph has
  /// "up": 1.
  template <std::integral T>
  void read(T& out) {
    if constexpr (std::same_as<T, bool>) {
      int64_t v = 0;
      read_integer(v, 0, 1);
      if (ok()) out = v != 0;
    } else if constexpr (std::same_as<T, uint64_t>) {
      read_unsigned(out);
    } else {
      int64_t v = 0;
      read_integer(v, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
      if (ok()) out = static_cast<T>(v);
    }
  }
  /// Finite.
  void read(double& out);
  void read(std::string& out);
  /// The form of its text: "1.2f".
  void read(PgId& out);
  void read(Uuid& out);
  template <class T>
  void read(std::vector<T>& out) {
    out.clear();
    array([&] { read(out.emplace_back()); });
  }
  void skip();
  /// Is the next value an array ('['), an object ('{'), a string ('"')?
  bool next_is(char first) { return peek() == first; }

  bool ok() const { return error_.code() == 0; }
  /// `what` is wrong with the value that was read last: "is 0, must be positive".
  void fail(std::string_view what);
  /// Nothing but white space may follow.
  Result<> finish();

 private:
  struct Frame {
    bool is_array = false;
    std::string key;
    size_t index = 0;
  };
  void match(std::string_view) {}
  template <class T, class... Rest>
  void match(std::string_view key, const char* name, T& target, Rest&... rest) {
    if (key != name) return match(key, rest...);
    if constexpr (std::invocable<T&>)
      target();
    else
      read(target);
  }
  bool enter(char open);
  void leave() { depth_ -= ok(); }
  bool at_member(bool first);
  bool at_element(bool first);
  /// After the separator of another item; false at the end and on errors.
  bool another(bool first, char close);

  int peek();  ///< next byte behind white space, -1 at the end and after errors
  int next_byte();
  bool fill();
  bool expect(char c, const char* why);
  void read_text(std::string* out);  ///< null: skipped
  void read_escape(std::string* out);
  uint32_t read_hex();
  std::string_view read_word();  ///< a number, true, false, null, inf, ...
  void skip_word();
  void read_integer(int64_t& out, int64_t min, int64_t max);
  void read_unsigned(uint64_t& out);
  bool begin_number(const char* wanted);
  std::string path() const;

  ByteSource& source_;
  std::string document_;
  std::vector<uint8_t> buffer_;
  size_t at_ = 0, end_ = 0;
  uint64_t before_ = 0;  ///< bytes in front of the buffer
  std::array<Frame, kMaxDepth> frames_;
  size_t depth_ = 0;
  bool pending_ = false;
  std::string word_;
  Error error_;
};

}  // namespace plimsoll::mover
