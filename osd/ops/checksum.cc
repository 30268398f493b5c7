// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/ops/checksum.h"

#include <bit>
#include <cstring>

namespace plimsoll::osd {

namespace {

template <class T>
T load(const char* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

constexpr uint32_t kA32 = 0x9e3779b1, kB32 = 0x85ebca77, kC32 = 0xc2b2ae3d, kD32 = 0x27d4eb2f,
                   kE32 = 0x165667b1;
constexpr uint64_t kA64 = 0x9e3779b185ebca87, kB64 = 0xc2b2ae3d27d4eb4f, kC64 = 0x165667b19e3779f9,
                   kD64 = 0x85ebca77c2b2ae63, kE64 = 0x27d4eb2f165667c5;

uint32_t round32(uint32_t lane, uint32_t input) {
  return std::rotl(lane + input * kB32, 13) * kA32;
}
uint64_t round64(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kB64, 31) * kA64;
}

}  // namespace

uint32_t xxhash32(uint32_t seed, std::string_view data) {
  const char* p = data.data();
  const char* const end = p + data.size();
  uint32_t h = seed + kE32;
  if (data.size() >= 16) {
    uint32_t lanes[4] = {seed + kA32 + kB32, seed + kB32, seed, seed - kA32};
    for (; end - p >= 16; p += 16)
      for (int i = 0; i < 4; i++) lanes[i] = round32(lanes[i], load<uint32_t>(p + 4 * i));
    h = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
        std::rotl(lanes[3], 18);
  }
  h += static_cast<uint32_t>(data.size());
  for (; end - p >= 4; p += 4) h = std::rotl(h + load<uint32_t>(p) * kC32, 17) * kD32;
  for (; p < end; p++) h = std::rotl(h + static_cast<uint8_t>(*p) * kE32, 11) * kA32;
  h = (h ^ (h >> 15)) * kB32;
  h = (h ^ (h >> 13)) * kC32;
  return h ^ (h >> 16);
}

uint64_t xxhash64(uint64_t seed, std::string_view data) {
  const char* p = data.data();
  const char* const end = p + data.size();
  uint64_t h = seed + kE64;
  if (data.size() >= 32) {
    uint64_t lanes[4] = {seed + kA64 + kB64, seed + kB64, seed, seed - kA64};
    for (; end - p >= 32; p += 32)
      for (int i = 0; i < 4; i++) lanes[i] = round64(lanes[i], load<uint64_t>(p + 8 * i));
    h = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
        std::rotl(lanes[3], 18);
    for (uint64_t lane : lanes) h = (h ^ round64(0, lane)) * kA64 + kD64;
  }
  h += data.size();
  for (; end - p >= 8; p += 8) h = std::rotl(h ^ round64(0, load<uint64_t>(p)), 27) * kA64 + kD64;
  if (end - p >= 4) {
    h = std::rotl(h ^ load<uint32_t>(p) * kA64, 23) * kB64 + kC64;
    p += 4;
  }
  for (; p < end; p++) h = std::rotl(h ^ static_cast<uint8_t>(*p) * kE64, 11) * kA64;
  h = (h ^ (h >> 33)) * kB64;
  h = (h ^ (h >> 29)) * kC64;
  return h ^ (h >> 32);
}

}  // namespace plimsoll::osd
