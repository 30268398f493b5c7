// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/texts.h"

#include <fmt/format.h>

namespace plimsoll::map {

std::string stamp_text(Utime t) {
  constexpr uint32_t kTenYears = 60 * 60 * 24 * 365 * 10;
  if (t.sec < kTenYears) return fmt::format("{}.{:06}", t.sec, t.nsec / 1000);
  return t.to_string();
}

std::string osd_set_text(const std::vector<int32_t>& osds) {
  return fmt::format("[{}]", fmt::join(osds, ","));
}

}  // namespace plimsoll::map
