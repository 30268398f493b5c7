// SPDX-License-Identifier: LGPL-2.1-or-later
// The codec: a struct declares its fields once, and encode, decode, dump (dump.h) and generate
// (generate.h) walk them. Ceph's conventions: little endian, u32 counts, and the envelope
// { u8 version, u8 compat, u32 length } whose unknown tail is skipped.
//
//   struct PoolSnap {
//     static constexpr wire::Envelope kEnvelope{2, 2};  // leave out for a struct without envelope
//     uint64_t id = 0;
//     std::string name;
//     template <class F> void fields(F& f) {
//       f("id", id);
//       f("name", name, 2);                        // since version 2: absent in older encodings
//     }
//   };
//
// fields() may branch on values already visited, use f.section() for a nested envelope, and
// f.constant() for a place that we neither keep nor use. Decoding is total: it never throws, and
// failure is read once from ByteReader::ok(). Layouts that no list of fields can say overload
// encode(const T&, ByteWriter&) and decode(T&, ByteReader&) in T's namespace instead.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace plimsoll::wire {

struct Envelope {
  uint8_t version;
  uint8_t compat;
};

/// Stands for any visitor in the check whether a type has fields().
struct FieldsProbe {
  template <class T> void operator()(const char*, T&, uint8_t = 0) {}
  template <class T> void constant(const char*, T, uint8_t = 0) {}
  template <class Fn> void section(const char*, Envelope, Fn&&) {}
  uint8_t version() const { return 0; }
};
template <class T>
concept HasFields = requires(T& t, FieldsProbe& f) { t.fields(f); };
template <class T>
concept HasEnvelope = requires { T::kEnvelope; };
template <class T>
concept Number = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <Number T> void encode(const T& v, ByteWriter& w);
inline void encode(const std::string& v, ByteWriter& w) { w.blob(v); }
inline void encode(const Bytes& v, ByteWriter& w) { w.blob(v.view()); }
template <class T, size_t N> void encode(const std::array<T, N>& v, ByteWriter& w);
template <class A, class B> void encode(const std::pair<A, B>& v, ByteWriter& w);
template <class T> void encode(const std::vector<T>& v, ByteWriter& w);
template <class T, class C> void encode(const std::set<T, C>& v, ByteWriter& w);
template <class K, class V, class C> void encode(const std::map<K, V, C>& v, ByteWriter& w);
template <HasFields T> void encode(const T& v, ByteWriter& w);

template <Number T> void decode(T& v, ByteReader& r);
inline void decode(std::string& v, ByteReader& r) { v = r.str(); }
inline void decode(Bytes& v, ByteReader& r) { v = r.blob(); }
template <class T, size_t N> void decode(std::array<T, N>& v, ByteReader& r);
template <class A, class B> void decode(std::pair<A, B>& v, ByteReader& r);
template <class T> void decode(std::vector<T>& v, ByteReader& r);
template <class T, class C> void decode(std::set<T, C>& v, ByteReader& r);
template <class K, class V, class C> void decode(std::map<K, V, C>& v, ByteReader& r);
template <HasFields T> void decode(T& v, ByteReader& r);

/// Writes an envelope around what `body` writes.
template <class Fn>
void enclose(ByteWriter& w, Envelope e, Fn&& body) {
  w.u8(e.version);
  w.u8(e.compat);
  const size_t at = w.size();
  w.u32(0);
  body();
  w.patch_u32(at, static_cast<uint32_t>(w.size() - at - 4));
}

/// Reads an envelope; `body` gets the version found. Fails when the writer asks for a reader newer
/// than `e`.
template <class Fn>
void disclose(ByteReader& r, Envelope e, Fn&& body) {
  const uint8_t version = r.u8();
  const uint8_t compat = r.u8();
  const uint32_t length = r.u32();
  if (compat > e.version) return r.fail("encoding is too new");
  const size_t outer = r.enter(length);
  if (r.ok()) body(version);
  r.leave(outer);
}

class Encoder {
 public:
  Encoder(ByteWriter& w, uint8_t version) : w_(w), version_(version) {}
  template <class T>
  void operator()(const char*, const T& v, uint8_t since = 0) {
    if (version_ >= since) encode(v, w_);
  }
  template <class T>
  void constant(const char*, T v, uint8_t since = 0) {
    if (version_ >= since) encode(v, w_);
  }
  template <class Fn>
  void section(const char*, Envelope e, Fn&& body) {
    const uint8_t outer = std::exchange(version_, e.version);
    enclose(w_, e, std::forward<Fn>(body));
    version_ = outer;
  }
  uint8_t version() const { return version_; }

 private:
  ByteWriter& w_;
  uint8_t version_;
};

class Decoder {
 public:
  Decoder(ByteReader& r, uint8_t version) : r_(r), version_(version) {}
  template <class T>
  void operator()(const char*, T& v, uint8_t since = 0) {
    if (version_ >= since) decode(v, r_);
  }
  template <class T>
  void constant(const char*, T, uint8_t since = 0) {
    T ignored{};
    if (version_ >= since) decode(ignored, r_);
  }
  template <class Fn>
  void section(const char*, Envelope e, Fn&& body) {
    disclose(r_, e, [&](uint8_t found) {
      const uint8_t outer = std::exchange(version_, found);
      body();
      version_ = outer;
    });
  }
  uint8_t version() const { return version_; }

 private:
  ByteReader& r_;
  uint8_t version_;
};

// ---- encode -------------------------------------------------------------------------------------

template <Number T>
void encode(const T& v, ByteWriter& w) {
  if constexpr (std::is_enum_v<T>) {
    encode(static_cast<std::underlying_type_t<T>>(v), w);
  } else {
    char raw[sizeof v];
    std::memcpy(raw, &v, sizeof v);
    w.raw({raw, sizeof v});
  }
}

template <class T, size_t N>
void encode(const std::array<T, N>& v, ByteWriter& w) {
  for (const auto& x : v) encode(x, w);
}
template <class A, class B>
void encode(const std::pair<A, B>& v, ByteWriter& w) {
  encode(v.first, w);
  encode(v.second, w);
}
template <class C>
void encode_all(const C& v, ByteWriter& w) {
  w.u32(static_cast<uint32_t>(v.size()));
  for (const auto& x : v) encode(x, w);
}
template <class T>
void encode(const std::vector<T>& v, ByteWriter& w) {
  encode_all(v, w);
}
template <class T, class C>
void encode(const std::set<T, C>& v, ByteWriter& w) {
  encode_all(v, w);
}
template <class K, class V, class C>
void encode(const std::map<K, V, C>& v, ByteWriter& w) {
  encode_all(v, w);
}
template <HasFields T>
void encode(const T& v, ByteWriter& w) {
  // fields() serves readers and writers alike and so is not const; an Encoder changes nothing.
  T& value = const_cast<T&>(v);
  if constexpr (HasEnvelope<T>) {
    enclose(w, T::kEnvelope, [&] {
      Encoder e(w, T::kEnvelope.version);
      value.fields(e);
    });
  } else {
    Encoder e(w, 0xff);
    value.fields(e);
  }
}

// ---- decode -------------------------------------------------------------------------------------

template <Number T>
void decode(T& v, ByteReader& r) {
  if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> raw{};
    decode(raw, r);
    v = static_cast<T>(raw);
  } else if constexpr (std::is_same_v<T, bool>) {
    v = r.u8() != 0;
  } else if constexpr (sizeof(T) == 1) {
    v = static_cast<T>(r.u8());
  } else if constexpr (sizeof(T) == 2) {
    v = std::bit_cast<T>(r.u16());
  } else if constexpr (sizeof(T) == 4) {
    v = std::bit_cast<T>(r.u32());
  } else {
    v = std::bit_cast<T>(r.u64());
  }
}

template <class T, size_t N>
void decode(std::array<T, N>& v, ByteReader& r) {
  for (auto& x : v) decode(x, r);
}
template <class A, class B>
void decode(std::pair<A, B>& v, ByteReader& r) {
  decode(v.first, r);
  decode(v.second, r);
}
template <class T>
void decode(std::vector<T>& v, ByteReader& r) {
  v.clear();
  // Elements are added one by one, so that a false count costs no memory before the data ends.
  for (uint32_t n = r.count(); n && r.ok(); n--) {
    T x{};
    decode(x, r);
    v.push_back(std::move(x));
  }
}
template <class T, class C>
void decode(std::set<T, C>& v, ByteReader& r) {
  v.clear();
  for (uint32_t n = r.count(); n && r.ok(); n--) {
    T x{};
    decode(x, r);
    v.insert(v.end(), std::move(x));
  }
}
template <class K, class V, class C>
void decode(std::map<K, V, C>& v, ByteReader& r) {
  v.clear();
  for (uint32_t n = r.count(); n && r.ok(); n--) {
    K k{};
    decode(k, r);
    decode(v[std::move(k)], r);
  }
}
template <HasFields T>
void decode(T& v, ByteReader& r) {
  if constexpr (HasEnvelope<T>) {
    disclose(r, T::kEnvelope, [&](uint8_t version) {
      Decoder d(r, version);
      v.fields(d);
    });
  } else {
    Decoder d(r, 0xff);
    v.fields(d);
  }
}

// ---- whole values -------------------------------------------------------------------------------

template <class T>
Bytes to_bytes(const T& v) {
  ByteWriter w;
  encode(v, w);
  return w.take();
}

/// Decodes a whole value; EINVAL names `what` where the data is damaged. A tail is ignored, since
/// newer writers append.
template <class T>
Result<T> from_bytes(Bytes data, const char* what) {
  ByteReader r(std::move(data));
  T v{};
  decode(v, r);
  if (!r.ok()) return fail(EINVAL, std::string("malformed ") + what + ": " + r.error());
  return v;
}

}  // namespace plimsoll::wire
