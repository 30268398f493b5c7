// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/space/lender.h"

#include <algorithm>

#include "common/base/assert.h"

namespace plimsoll::osd {

void SpaceLender::set_lines(uint64_t full, uint64_t failsafe) {
  full_ = full;
  failsafe_ = std::max(full, failsafe);
}

uint64_t SpaceLender::lend(Borrower to, uint64_t want, bool reserve, uint64_t used) {
  const int64_t room = headroom(used, reserve);
  if (room < static_cast<int64_t>(want)) return 0;
  // Ahead of need only below the full line, and less the nearer it is.
  uint64_t bytes = want;
  if (!reserve) {
    const uint64_t peers = std::max<uint64_t>(loans_.size(), 3);
    const uint64_t ahead = std::min(kQuantum, static_cast<uint64_t>(room) / (4 * peers));
    bytes = std::max(want, ahead);
  }
  loans_[to] += bytes;
  lent_ += bytes;
  return bytes;
}

void SpaceLender::end(Borrower from, uint64_t bytes) {
  auto it = loans_.find(from);
  if (it == loans_.end()) return;
  bytes = std::min(bytes, it->second);
  it->second -= bytes;
  lent_ -= bytes;
  if (it->second == 0) loans_.erase(it);
}

void SpaceLender::reset(Borrower from, uint64_t still) {
  auto it = loans_.find(from);
  if (it == loans_.end()) return;
  end(from, it->second - std::min(it->second, still));
}

void SpaceLender::forget(OsdId osd) {
  for (auto it = loans_.lower_bound({osd, 0}); it != loans_.end() && it->first.osd == osd;) {
    lent_ -= it->second;
    it = loans_.erase(it);
  }
}

}  // namespace plimsoll::osd
