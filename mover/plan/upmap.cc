// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/upmap.h"

#include <algorithm>

namespace plimsoll::mover {

namespace {

bool contains(std::span<const OsdId> all, OsdId osd) {
  return std::find(all.begin(), all.end(), osd) != all.end();
}

/// Positions are fixed: a pair must wait until its target has left the position where it stood.
std::optional<map::UpmapItems> items_in_order(std::span<const OsdId> raw,
                                              std::span<const OsdId> up) {
  map::UpmapItems out;
  std::vector<OsdId> now(raw.begin(), raw.end());
  for (bool progress = true; progress;) {
    progress = false;
    for (size_t i = 0; i < now.size(); i++) {
      if (now[i] == up[i] || contains(now, up[i])) continue;
      out.emplace_back(now[i], up[i]);
      now[i] = up[i];
      progress = true;
    }
  }
  if (!std::equal(now.begin(), now.end(), up.begin())) return std::nullopt;
  return out;
}

/// Only members count: who left CRUSH's answer is replaced by who came, found along the positions
/// so that as few as possible change their place.
map::UpmapItems items_of_members(std::span<const OsdId> raw, std::span<const OsdId> up) {
  map::UpmapItems out;
  for (size_t i = 0; i < raw.size(); i++) {
    if (contains(up, raw[i])) continue;
    OsdId to = up[i];
    for (auto at = std::find(raw.begin(), raw.end(), to); at != raw.end();
         at = std::find(raw.begin(), raw.end(), to))
      to = up[at - raw.begin()];
    out.emplace_back(raw[i], to);
  }
  return out;
}

}  // namespace

std::vector<OsdId> apply_upmap_items(std::span<const OsdId> raw, const map::UpmapItems& items) {
  std::vector<OsdId> out(raw.begin(), raw.end());
  for (const auto& [from, to] : items) {
    const auto at = std::find(out.begin(), out.end(), from);
    if (at != out.end() && !contains(out, to)) *at = to;
  }
  return out;
}

std::optional<map::UpmapItems> upmap_items(std::span<const OsdId> raw, std::span<const OsdId> up,
                                           bool erasure) {
  if (raw.size() != up.size()) return std::nullopt;
  for (size_t i = 0; i < up.size(); i++)
    if (raw[i] != up[i] && (raw[i] == kOsdNone || up[i] == kOsdNone)) return std::nullopt;
  if (erasure) return items_in_order(raw, up);
  map::UpmapItems out = items_of_members(raw, up);
  // A rule that takes the same root twice can choose a device twice, which pairs do not tell apart.
  const std::vector<OsdId> made = apply_upmap_items(raw, out);
  if (!std::is_permutation(made.begin(), made.end(), up.begin())) return std::nullopt;
  return out;
}

}  // namespace plimsoll::mover
