// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/hash.h"

#include <cstring>

namespace plimsoll {

namespace {

void mix(uint32_t& a, uint32_t& b, uint32_t& c) {
  auto round = [](uint32_t& x, uint32_t y, uint32_t z, uint32_t shifted) {
    x -= y;
    x -= z;
    x ^= shifted;
  };
  round(a, b, c, c >> 13);
  round(b, c, a, a << 8);
  round(c, a, b, b >> 13);
  round(a, b, c, c >> 12);
  round(b, c, a, a << 16);
  round(c, a, b, b >> 5);
  round(a, b, c, c >> 3);
  round(b, c, a, a << 10);
  round(c, a, b, b >> 15);
}

constexpr uint32_t kSeed = 1315423911;

}  // namespace

uint32_t rjenkins_str(std::string_view s) {
  uint32_t a = 0x9e3779b9, b = a, c = 0;
  auto word = [&](size_t at) {
    uint32_t v;
    std::memcpy(&v, s.data() + at, 4);
    return v;
  };
  const uint32_t length = static_cast<uint32_t>(s.size());
  while (s.size() >= 12) {
    a += word(0);
    b += word(4);
    c += word(8);
    mix(a, b, c);
    s.remove_prefix(12);
  }
  c += length;
  for (size_t i = 0; i < s.size(); i++) {
    uint32_t byte = static_cast<uint8_t>(s[i]);
    // The low byte of c is the length's.
    if (i < 4) a += byte << (8 * i);
    else if (i < 8) b += byte << (8 * (i - 4));
    else c += byte << (8 * (i - 7));
  }
  mix(a, b, c);
  return c;
}

uint32_t rjenkins2(uint32_t a, uint32_t b) {
  uint32_t h = kSeed ^ a ^ b, x = 231232, y = 1232;
  mix(a, b, h);
  mix(x, a, h);
  mix(b, y, h);
  return h;
}

uint32_t rjenkins3(uint32_t a, uint32_t b, uint32_t c) {
  uint32_t h = kSeed ^ a ^ b ^ c, x = 231232, y = 1232;
  mix(a, b, h);
  mix(c, x, h);
  mix(y, a, h);
  mix(b, x, h);
  mix(y, c, h);
  return h;
}

uint32_t rjenkins4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  uint32_t h = kSeed ^ a ^ b ^ c ^ d, x = 231232, y = 1232;
  mix(a, b, h);
  mix(c, d, h);
  mix(a, x, h);
  mix(y, b, h);
  mix(c, x, h);
  mix(y, d, h);
  return h;
}

}  // namespace plimsoll
