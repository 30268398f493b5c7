// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/size_text.h"

#include <fmt/format.h>

#include "common/base/units.h"

namespace plimsoll {

namespace {

/// `v` in units of `mult`: whole where exact, else with as many decimals as fit seven characters.
std::string scaled(uint64_t v, uint64_t whole, uint64_t mult, const char* unit) {
  if (v % mult == 0) return fmt::format("{}{}", whole, unit);
  std::string text;
  for (int precision = 2; precision >= 0; precision--) {
    text = fmt::format("{:.{}f}{}", static_cast<double>(v) / static_cast<double>(mult), precision,
                       unit);
    if (text.size() <= 7) break;
  }
  return text;
}

std::string with_unit(uint64_t v, uint64_t base, const char* const (&units)[7]) {
  size_t index = 0;
  uint64_t whole = v, mult = 1;
  for (; whole >= base && index < 6; index++) {
    whole /= base;
    mult *= base;
  }
  return scaled(v, whole, mult, units[index]);
}

}  // namespace

std::string bytes_text(uint64_t bytes) {
  return with_unit(bytes, 1024, {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"});
}

std::string bytes_text_up(uint64_t bytes) {
  if (bytes < 1_MiB) return fmt::format("{} KiB", round_up(bytes, 1_KiB) / 1_KiB);
  return fmt::format("{} MiB", round_up(bytes, 1_MiB) / 1_MiB);
}

std::string si_text(uint64_t n) {
  return with_unit(n, 1000, {"", "k", "M", "G", "T", "P", "E"});
}

}  // namespace plimsoll
