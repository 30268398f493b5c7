// SPDX-License-Identifier: LGPL-2.1-or-later
// generate: fills any struct with fields() with seeded values, among them the extremes that break
// codecs. For property tests (what is encoded decodes to the same) and as seeds of fuzzing. A type
// with a codec of its own may have generate(T&, Generator&) in its namespace.
#pragma once

#include "common/base/rng.h"
#include "common/wire/types.h"

namespace plimsoll::wire {

class Generator {
 public:
  explicit Generator(Rng& rng) : rng(rng) {}

  template <class T>
  void operator()(const char*, T& v, uint8_t = 0);
  template <class T>
  void constant(const char*, T, uint8_t = 0) {}
  template <class Fn>
  void section(const char*, Envelope, Fn&& body) {
    body();
  }
  uint8_t version() const { return 0xff; }

  /// A container's size: small, often zero.
  size_t length() { return rng.below(4); }
  std::string text() {
    std::string out(rng.chance(0.05) ? 300 : rng.below(12), '\0');
    for (char& c : out) c = static_cast<char>(rng.below(256));
    return out;
  }

  Rng& rng;
};

template <Number T>
void generate(T& v, Generator& g) {
  if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> raw{};
    generate(raw, g);
    v = static_cast<T>(raw);
  } else if constexpr (std::is_same_v<T, bool>) {
    v = g.rng.chance(0.5);
  } else if constexpr (std::is_floating_point_v<T>) {
    v = static_cast<T>(g.rng.unit() * 1000 - 500);
  } else {
    switch (g.rng.below(4)) {
      case 0:
        v = static_cast<T>(g.rng.below(4));
        break;
      case 1:
        v = g.rng.chance(0.5) ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min();
        break;
      default:
        v = static_cast<T>(g.rng.next());
        break;
    }
  }
}

inline void generate(std::string& v, Generator& g) {
  v = g.text();
}
inline void generate(Bytes& v, Generator& g) {
  v = Bytes::take(g.text());
}

template <class T, size_t N>
void generate(std::array<T, N>& v, Generator& g);
template <class A, class B>
void generate(std::pair<A, B>& v, Generator& g);
template <class T>
void generate(std::vector<T>& v, Generator& g);
template <class T, class C>
void generate(std::set<T, C>& v, Generator& g);
template <class K, class V, class C>
void generate(std::map<K, V, C>& v, Generator& g);

template <HasFields T>
void generate(T& v, Generator& g) {
  v.fields(g);
}
template <class T, size_t N>
void generate(std::array<T, N>& v, Generator& g) {
  for (auto& x : v) generate(x, g);
}
template <class A, class B>
void generate(std::pair<A, B>& v, Generator& g) {
  generate(v.first, g);
  generate(v.second, g);
}
template <class T>
void generate(std::vector<T>& v, Generator& g) {
  v.resize(g.length());
  for (auto& x : v) generate(x, g);
}
template <class T, class C>
void generate(std::set<T, C>& v, Generator& g) {
  for (size_t n = g.length(); n; n--) {
    T x{};
    generate(x, g);
    v.insert(std::move(x));
  }
}
template <class K, class V, class C>
void generate(std::map<K, V, C>& v, Generator& g) {
  for (size_t n = g.length(); n; n--) {
    K k{};
    generate(k, g);
    generate(v[std::move(k)], g);
  }
}

template <class T>
void Generator::operator()(const char*, T& v, uint8_t) {
  generate(v, *this);
}

template <class T>
T generated(Rng& rng) {
  T v{};
  Generator g(rng);
  generate(v, g);
  return v;
}

}  // namespace plimsoll::wire

namespace plimsoll {

inline void generate(EntityAddr& v, wire::Generator& g) {
  v = {};
  if (g.rng.chance(0.2)) return;
  v.type = static_cast<uint32_t>(1 + g.rng.below(3));
  v.nonce = static_cast<uint32_t>(g.rng.next());
  v.family = g.rng.chance(0.3) ? 10 : 2;
  v.port = static_cast<uint16_t>(g.rng.next());
  for (size_t i = 0; i < (v.family == 2 ? 4u : 16u); i++)
    v.ip[i] = static_cast<uint8_t>(g.rng.next());
}
inline void generate(EntityAddrVec& v, wire::Generator& g) {
  wire::generate(v.addrs, g);
}
inline void generate(ObjectLocator& v, wire::Generator& g) {
  wire::generate(v.pool, g);
  wire::generate(v.key, g);
  wire::generate(v.nspace, g);
  v.hash = g.rng.chance(0.5) ? -1 : static_cast<int64_t>(g.rng.below(1ull << 32));
}

}  // namespace plimsoll
