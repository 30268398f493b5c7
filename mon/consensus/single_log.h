// SPDX-License-Identifier: LGPL-2.1-or-later
// SingleLog: consensus of one. A proposal is committed when its log entry is durable; one sync
// carries all proposals that wait. The state space follows lazily: committed changes collect in
// memory and are written with the next entry's batch, so a change costs one sync and not two; after
// a crash the entries beyond the `applied` mark are replayed.
//
// Keys: "L" + big-endian index -> entry; "S" + key -> state; "A" -> index that the state reflects.
#pragma once

#include <deque>
#include <memory>

#include "common/rt/runtime.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"
#include "mon/consensus/consensus.h"

namespace plimsoll::mon {

class SingleLog : public Consensus {
 public:
  /// Entries that are kept after they were applied, for a follower that is slow.
  static constexpr uint64_t kKeepEntries = 256;
  /// Proposals that may wait, by bytes; beyond, propose() answers EAGAIN.
  static constexpr size_t kMaxWaitingBytes = 64 << 20;

  SingleLog(Executor executor, Kv& kv);
  /// Reads the marks and replays what the state lacks.
  Task<Result<>> start();
  /// Writes the collected changes and ends; proposals that wait get ESHUTDOWN.
  Task<void> stop();

  Task<Result<Version>> propose(KvBatch changes) override;
  Version committed() const override { return committed_; }
  Task<Result<std::optional<std::string>>> get(std::string key) override;
  Task<Result<std::vector<Kv::Pair>>> list(std::string prefix) override;

 private:
  struct Waiting {
    KvBatch changes;
    std::shared_ptr<OneShot<Result<Version>>> done;
  };
  Task<void> write_entries();
  Task<Result<>> write_group(std::deque<Waiting>& group);
  Task<Result<>> replay();
  /// Brings the state space up to committed().
  Task<Result<>> apply();
  /// Moves what is committed and not applied into `batch`.
  void take_unapplied(KvBatch& batch);

  Kv& kv_;
  Version committed_ = 0;
  Version applied_ = 0;  ///< what the state space reflects, or will once the writes under way end
  Version first_kept_ = 1;  ///< oldest entry in the log
  KvBatch unapplied_;
  std::deque<Waiting> waiting_;
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  AsyncMutex order_;  ///< writes to the log and the state
  WaitQueue work_;
  TaskGroup tasks_;
};

}  // namespace plimsoll::mon
