// SPDX-License-Identifier: LGPL-2.1-or-later
// Consensus: the one way by which the monitors' state changes. The state is an ordered key-value
// space; a proposal is a batch of changes to it, which takes effect on every monitor, whole and in
// one order, or nowhere. Underneath is a log of entries in stable storage. One monitor commits by
// itself (SingleLog); a quorum puts Raft behind this same interface: its entries are our batches,
// its snapshot is the whole state space.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/rt/kv.h"

namespace plimsoll::mon {

/// Index of an entry in the log; the first is 1.
using Version = uint64_t;

class Consensus {
 public:
  virtual ~Consensus() = default;
  /// Ordered at the call. Returns when the changes are committed, that is durable on a majority,
  /// and visible to get() and scan(). An error means that nothing of the batch took effect.
  [[nodiscard]] virtual Task<Result<Version>> propose(KvBatch changes) = 0;
  /// The newest committed entry.
  virtual Version committed() const = 0;
  /// Reads of the committed state.
  virtual Task<Result<std::optional<std::string>>> get(std::string key) = 0;
  /// All pairs whose key begins with `prefix`, ascending.
  virtual Task<Result<std::vector<Kv::Pair>>> list(std::string prefix) = 0;
};

}  // namespace plimsoll::mon
