// SPDX-License-Identifier: LGPL-2.1-or-later
// SpaceLender: the free space of one OSD, lent in bytes to the primaries of its PGs before they
// write, so that a replica operation never fails for space. Ordinary growth may fill the OSD up to
// the full line; what must go on when it is full (file system metadata, forced writes, copies that
// an overwrite makes) up to the failsafe line. Pure.
//
// Invariant: used + lent <= the line of whom it lends to, at every loan. `used` is the store's at
// the moment of the call; a loan ends (landed) when the store has taken the write, or is returned.
#pragma once

#include <cstdint>
#include <map>

#include "common/base/units.h"
#include "common/wire/types.h"

namespace plimsoll::osd {

class SpaceLender {
 public:
  /// Lent ahead of need to one borrower at most.
  static constexpr uint64_t kQuantum = 32_MiB;

  struct Borrower {
    OsdId osd = kNoOsd;
    uint32_t shard = 0;
    auto operator<=>(const Borrower&) const = default;
  };

  void set_lines(uint64_t full, uint64_t failsafe);
  uint64_t full_line() const { return full_; }
  uint64_t failsafe_line() const { return failsafe_; }
  uint64_t lent() const { return lent_; }
  const std::map<Borrower, uint64_t>& loans() const { return loans_; }

  /// What may still be lent; negative when use is above the line.
  int64_t headroom(uint64_t used, bool reserve) const {
    return static_cast<int64_t>(reserve ? failsafe_ : full_) - static_cast<int64_t>(used + lent_);
  }
  /// Lends `want` bytes or, with much room, more; 0 where there is not enough.
  uint64_t lend(Borrower to, uint64_t want, bool reserve, uint64_t used);
  /// A write has landed in the store, or loans come back unspent.
  void end(Borrower from, uint64_t bytes);
  /// Of all that `from` had, only `still` bytes are out.
  void reset(Borrower from, uint64_t still);
  /// The OSD is gone, and nothing that it sent will arrive any more.
  void forget(OsdId osd);

 private:
  uint64_t full_ = 0;
  uint64_t failsafe_ = 0;
  uint64_t lent_ = 0;
  std::map<Borrower, uint64_t> loans_;
};

}  // namespace plimsoll::osd
