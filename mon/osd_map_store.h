// SPDX-License-Identifier: LGPL-2.1-or-later
// OsdMapStore: the OSD maps of the past as they lie in the consensus state. Every epoch is kept as
// an incremental, every kFullEvery-th and the newest also whole; an old full map is its nearest
// older full map plus incrementals. Recent incrementals stay in memory, so that pushing maps to
// sessions reads nothing. Older epochs than the options ask for are trimmed, at a full map, with
// new epochs.
#pragma once

#include <map>
#include <optional>

#include "common/map/osd_map.h"
#include "mon/consensus/consensus.h"

namespace plimsoll::mon {

class OsdMapStore {
 public:
  static constexpr Epoch kFullEvery = 64;
  /// Bound of the memory that recent incrementals take.
  static constexpr size_t kMaxCachedBytes = 16 << 20;

  explicit OsdMapStore(Consensus& consensus) : consensus_(consensus) {}

  /// Reads the newest map; EIO where it is damaged, ENOENT where there is none.
  Task<Result<map::OSDMap>> load(size_t max_cached);

  /// The changes that store a step, and trim so that at least `min_epochs` are left.
  void put(const map::SealedStep& step, size_t min_epochs, KvBatch& batch) const;
  /// The step is committed.
  void committed(const map::SealedStep& step, size_t min_epochs);
  /// What a new cluster's state begins with.
  static void put_first(const map::OSDMap& map, KvBatch& batch);

  Epoch oldest() const { return oldest_; }
  Epoch newest() const { return newest_; }
  /// The newest map, encoded.
  const Bytes& newest_full() const { return full_; }
  /// An incremental in memory; null for others.
  const Bytes* incremental(Epoch e) const;
  /// Encoded full map of any kept epoch; ENOENT for others.
  Task<Result<Bytes>> full(Epoch e);

 private:
  Epoch oldest_after(Epoch newest, size_t min_epochs) const;
  void cache(Epoch e, Bytes incremental);

  Consensus& consensus_;
  Epoch oldest_ = 0;
  Epoch newest_ = 0;
  Bytes full_;
  size_t max_cached_ = 500;
  size_t cached_bytes_ = 0;
  std::map<Epoch, Bytes> recent_;
};

}  // namespace plimsoll::mon
