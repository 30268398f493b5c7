// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/json_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace plimsoll::mover {

namespace {

constexpr size_t kBuffer = 64 << 10;
constexpr size_t kMaxWord = 64;
constexpr const char* kCut = "the document ends here, it is cut short";
constexpr const char* kCutInString = "the document ends inside a string, it is cut short";
constexpr const char* kBadEscape = "has a bad escape in a string";

bool is_word_char(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '+' || c == '.';
}

/// inf, -inf, nan, Infinity, NaN: what printf and Python write where JSON has no word.
bool is_not_finite(std::string_view word) {
  if (!word.empty() && (word[0] == '-' || word[0] == '+')) word.remove_prefix(1);
  return word == "inf" || word == "nan" || word == "Infinity" || word == "NaN";
}

bool is_number(std::string_view word) {
  const size_t digit = word.starts_with('-');
  if (digit >= word.size() || word[digit] < '0' || word[digit] > '9') return false;
  double v = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), v);
  return error != std::errc::invalid_argument && end == word.data() + word.size();
}

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (c >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (c & 0x3f));
  }
}

const char* kind_of(int c) {
  return c == '{' ? "an object" : c == '[' ? "an array" : c == '"' ? "a string" : "a bare word";
}

}  // namespace

Result<size_t> MemorySource::read(std::span<uint8_t> into) {
  const size_t n = std::min(into.size(), rest_.size());
  std::copy_n(rest_.data(), n, into.data());
  rest_.remove_prefix(n);
  return n;
}

JsonReader::JsonReader(ByteSource& source, std::string document)
    : source_(source), document_(std::move(document)), buffer_(kBuffer) {}

// ---- bytes --------------------------------------------------------------------------------------

bool JsonReader::fill() {
  if (!ok()) return false;
  before_ += end_;
  at_ = end_ = 0;
  auto n = source_.read(buffer_);
  if (!n) {
    error_ = Error(n.error().code(), fmt::format("{}: {}", document_, n.error().text()));
    return false;
  }
  end_ = *n;
  return end_ > 0;
}

int JsonReader::next_byte() {
  if (at_ == end_ && !fill()) return -1;
  return buffer_[at_++];
}

int JsonReader::peek() {
  for (;;) {
    if (!ok() || (at_ == end_ && !fill())) return -1;
    const uint8_t c = buffer_[at_];
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') return c;
    at_++;
  }
}

bool JsonReader::expect(char c, const char* why) {
  const int found = peek();
  if (found == c) {
    at_++;
    return true;
  }
  if (found < 0)
    fail(kCut);
  else
    fail(fmt::format("found '{}' {}", static_cast<char>(found), why));
  return false;
}

// ---- structure ----------------------------------------------------------------------------------

bool JsonReader::enter(char open) {
  pending_ = false;
  const int c = peek();
  if (c >= 0 && c != open) {
    fail(fmt::format("is {}, not {}", kind_of(c), kind_of(open)));
    return false;
  }
  if (!expect(open, "")) return false;
  if (depth_ == kMaxDepth) {
    fail(fmt::format("is nested more than {} deep", kMaxDepth));
    return false;
  }
  Frame& frame = frames_[depth_++];
  frame.is_array = open == '[';
  frame.key.clear();
  frame.index = 0;
  return true;
}

bool JsonReader::another(bool first, char close) {
  if (!ok()) return false;
  if (peek() == close) {
    at_++;
    return false;
  }
  return first || expect(',', "where a comma or the end belongs");
}

bool JsonReader::at_member(bool first) {
  if (!another(first, '}')) return false;
  if (!expect('"', "where a key belongs")) return false;
  std::string& key = frames_[depth_ - 1].key;
  key.clear();
  at_--;
  read_text(&key);
  return expect(':', "where a colon belongs") && ok();
}

bool JsonReader::at_element(bool first) {
  if (!another(first, ']')) return false;
  if (!first) frames_[depth_ - 1].index++;
  return true;
}

void JsonReader::skip() {
  pending_ = false;
  switch (peek()) {
    case '{':
      return object([](std::string_view) {});
    case '[':
      return array([] {});
    case '"':
      return read_text(nullptr);
    default:
      return skip_word();
  }
}

Result<> JsonReader::finish() {
  if (ok() && peek() >= 0) fail("more follows behind the document's end");
  if (!ok()) return error_;
  return {};
}

std::string JsonReader::path() const {
  std::string out;
  for (size_t i = 0; i < depth_; i++) {
    const Frame& f = frames_[i];
    if (f.is_array)
      out += fmt::format("[{}]", f.index);
    else if (!f.key.empty())
      out += (out.empty() ? "" : ".") + f.key.substr(0, 80);
  }
  return out;
}

void JsonReader::fail(std::string_view what) {
  if (!ok()) return;
  const std::string where = path();
  error_ = Error(EINVAL, fmt::format("{}: {}{}byte {}: {}", document_, where,
                                     where.empty() ? "" : ", ", before_ + at_, what));
}

// ---- values -------------------------------------------------------------------------------------

void JsonReader::read_text(std::string* out) {
  if (!expect('"', "where a string belongs")) return;
  size_t length = 0;
  for (;;) {
    // A run without anything special in it, as much of it as the buffer has.
    const uint8_t* begin = buffer_.data() + at_;
    const uint8_t* p = begin;
    const uint8_t* end = buffer_.data() + end_;
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20) p++;
    length += static_cast<size_t>(p - begin);
    if (length > kMaxString) return fail("is a string that is too long");
    if (out) out->append(begin, p);
    at_ += static_cast<size_t>(p - begin);
    const int c = next_byte();
    if (c == '"') return;
    if (c < 0) return fail(kCutInString);
    if (c == '\\') {
      read_escape(out);
      if (!ok()) return;
      length++;
    } else if (c < 0x20) {
      return fail("has a control character in a string");
    } else {
      at_--;  // the buffer was empty: this byte is the next run's first
    }
  }
}

void JsonReader::read_escape(std::string* out) {
  static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
  const int c = next_byte();
  uint32_t code = 0;
  if (c == 'u') {
    code = read_hex();
    if (ok() && code >= 0xd800 && code < 0xdc00) {
      for (char wanted : {'\\', 'u'}) {
        const int half = next_byte();
        if (half != wanted) return fail(half < 0 ? kCutInString : kBadEscape);
      }
      code = 0x10000 + ((code - 0xd800) << 10) + ((read_hex() - 0xdc00) & 0x3ff);
    }
  } else {
    const size_t i = c < 0 ? std::string_view::npos : kFrom.find(static_cast<char>(c));
    if (i == std::string_view::npos) return fail(c < 0 ? kCutInString : kBadEscape);
    code = static_cast<uint8_t>(kTo[i]);
  }
  if (out && ok()) append_utf8(*out, code);
}

uint32_t JsonReader::read_hex() {
  uint32_t v = 0;
  for (int i = 0; i < 4; i++) {
    const int c = next_byte();
    const int lower = c | 0x20;
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(lower >= 'a' && lower <= 'f')) {
      fail(c < 0 ? kCutInString : kBadEscape);
      return 0;
    }
    v = v << 4 | static_cast<uint32_t>(digit ? c - '0' : lower - 'a' + 10);
  }
  return v;
}

std::string_view JsonReader::read_word() {
  word_.clear();
  if (peek() < 0) {
    fail(kCut);
    return {};
  }
  while ((at_ < end_ || fill()) && is_word_char(buffer_[at_]) && word_.size() < kMaxWord)
    word_ += static_cast<char>(buffer_[at_++]);
  // A number at the very end could be longer; only a whole document may be one.
  if (depth_ > 0 && at_ == end_) fail(kCut);
  if (word_.empty() && ok())
    fail(fmt::format("found '{}' where a value belongs", static_cast<char>(buffer_[at_])));
  return word_;
}

void JsonReader::skip_word() {
  const std::string_view word = read_word();
  if (!ok() || word == "true" || word == "false" || word == "null" || is_number(word) ||
      is_not_finite(word))
    return;
  fail(fmt::format("'{}' is no value", word));
}

/// Reads the word of a number; false when there is none.
bool JsonReader::begin_number(const char* wanted) {
  pending_ = false;
  const int c = peek();
  if (c == '{' || c == '[' || c == '"') {
    fail(fmt::format("is {}, not {}", kind_of(c), wanted));
    return false;
  }
  const std::string_view word = read_word();
  if (!ok()) return false;
  if (word == "true" || word == "false" || is_number(word)) return true;
  fail(fmt::format("is {}, not {}", word, wanted));
  return false;
}

void JsonReader::read(double& out) {
  if (!begin_number("a number")) return;
  double v = 0;
  const auto [end, error] = std::from_chars(word_.data(), word_.data() + word_.size(), v);
  if (end != word_.data() + word_.size()) return fail(fmt::format("is {}, not a number", word_));
  if (error != std::errc()) return fail(fmt::format("is {}, which is out of range", word_));
  out = v;
}

void JsonReader::read_unsigned(uint64_t& out) {
  if (!begin_number("a whole number")) return;
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(word_.data(), word_.data() + word_.size(), v);
  if (error == std::errc() && end == word_.data() + word_.size()) {
    out = v;
    return;
  }
  fail(fmt::format("is {}, not a whole number that fits", word_));
}

void JsonReader::read_integer(int64_t& out, int64_t min, int64_t max) {
  if (!begin_number("a whole number")) return;
  int64_t v = 0;
  const auto [end, error] = std::from_chars(word_.data(), word_.data() + word_.size(), v);
  if (word_ == "true" || word_ == "false")
    v = word_ == "true";
  else if (error != std::errc() || end != word_.data() + word_.size())
    return fail(fmt::format("is {}, not a whole number that fits", word_));
  if (v < min || v > max) return fail(fmt::format("is {}, not in [{}, {}]", v, min, max));
  out = v;
}

void JsonReader::read(std::string& out) {
  pending_ = false;
  out.clear();
  const int c = peek();
  if (c >= 0 && c != '"') {
    if (c == '{' || c == '[') return fail(fmt::format("is {}, not a string", kind_of(c)));
    return fail(fmt::format("is {}, not a string", read_word()));
  }
  read_text(&out);
}

void JsonReader::read(PgId& out) {
  std::string text;
  read(text);
  if (!ok()) return;
  auto pg = PgId::parse(text);
  if (!pg) return fail(fmt::format("'{}' is no PG", text));
  out = *pg;
}

void JsonReader::read(Uuid& out) {
  std::string text;
  read(text);
  if (!ok()) return;
  auto id = Uuid::parse(text);
  if (!id) return fail(fmt::format("'{}' is no UUID", text));
  out = *id;
}

}  // namespace plimsoll::mover
