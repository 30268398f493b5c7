// SPDX-License-Identifier: LGPL-2.1-or-later
// fsck: recomputes from the objects everything that the store keeps about them, and reads every
// byte. For stores that are not mounted. It writes nothing: what a crash left in the journal is
// replayed in memory.
#pragma once

#include "osd/store/store_files.h"

namespace plimsoll::osd {

struct FsckReport {
  std::vector<std::string> findings;  ///< empty: clean; at most kMaxFindings
  Counters counters;                  ///< as recomputed
  static constexpr size_t kMaxFindings = 1000;
};
/// An error only where the store cannot be opened or read at all.
Task<Result<FsckReport>> fsck(Runtime& rt, std::string path);

}  // namespace plimsoll::osd
