// SPDX-License-Identifier: LGPL-2.1-or-later
// AuthService: global ids, by which the cluster knows every client instance. They never repeat, not
// even after a crash: ids are taken from a range that was made durable before.
#pragma once

#include "mon/consensus/consensus.h"

namespace plimsoll::mon {

class AuthService {
 public:
  /// Ids made durable at a time.
  static constexpr uint64_t kRange = 10'000;
  static constexpr uint64_t kFirstId = 4100;

  explicit AuthService(Consensus& consensus) : consensus_(consensus) {}
  /// Reserves the first range.
  Task<Result<>> load();
  /// Reserves more when the range runs low.
  Task<void> tick();
  /// A fresh id; 0 when the range is used up.
  uint64_t next_global_id() { return next_ < end_ ? next_++ : 0; }

 private:
  Task<Result<>> reserve();

  Consensus& consensus_;
  uint64_t next_ = kFirstId;
  uint64_t end_ = kFirstId;
};

}  // namespace plimsoll::mon
