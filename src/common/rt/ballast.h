// SPDX-License-Identifier: LGPL-2.1-or-later
// Ballast: space of a host's file system that one daemon has set aside, in a file that holds
// nothing. When the host is full, those of the daemon who must write (KvOptions::ballast) release
// it bit by bit and go on, so that a full host fails nothing; the daemon sees that it is not whole,
// stops what can be stopped, and restores it when there is room again. With nothing left to release
// they wait for room while the ballast is patient, and fail with ENOSPC while it is not: a daemon
// that starts or stops does not wait.
#pragma once

#include <atomic>
#include <cstdint>

#include "common/base/result.h"
#include "common/rt/task.h"

namespace plimsoll {

class Ballast {
 public:
  /// Between two attempts of those who wait for room.
  static constexpr Duration kRetry = std::chrono::milliseconds(100);

  virtual ~Ballast() = default;
  /// Bytes that it should have, and has.
  virtual uint64_t whole() const = 0;
  virtual uint64_t held() const = 0;
  /// Gives at least `bytes` back to the host, or all there is; false where nothing is left. From
  /// any thread; blocks for a moment.
  virtual bool release(uint64_t bytes) = 0;
  /// Makes it whole. ENOSPC where the host would have less than `spare` free then. EOPNOTSUPP where
  /// the file system cannot set space aside; whole() is 0 from then on.
  virtual Task<Result<>> restore(uint64_t spare) = 0;

  bool patient() const { return patient_; }
  void set_patient(bool p) { patient_ = p; }

 private:
  std::atomic<bool> patient_{false};
};

}  // namespace plimsoll
