// SPDX-License-Identifier: LGPL-2.1-or-later
// Workload: tasks of one client that write, append, create, delete, stat and read a few objects at
// once, into a history that clients may share. An object's data is a sequence of pieces, each of
// which names itself and fills its length with bytes that follow from its id, so that a read says
// what it saw or that the data is damaged.
#pragma once

#include <string>
#include <vector>

#include "common/rados/rados_client.h"
#include "common/rt/task_group.h"
#include "qa/sim/history.h"

namespace plimsoll::sim {

struct WorkloadOptions {
  int tasks = 4;
  int objects = 6;
  int operations = 400;         ///< per task, at most
  size_t max_piece = 40'000;
  Duration think = 150ms;       ///< at most, between operations
  bool eio = false;             ///< an operation may fail by that
  Duration patience{0};         ///< for an answer; 0: for ever
};

class Workload {
 public:
  Workload(Runtime& runtime, rados::RadosClient& client, PoolId pool, History& history,
           WorkloadOptions options);

  /// Starts the tasks.
  void start();
  /// No new operations.
  void finish() { finishing_ = true; }
  bool ended() const { return group_.size() == 0; }
  /// One more task, beside the others: reads every object.
  void start_read_back() { group_.spawn(read_back()); }
  /// Reads every object once more.
  Task<void> read_back();

 private:
  Task<void> run_task();
  RegisterOp::Kind draw_kind();
  Task<void> run_one(std::string object, RegisterOp op);
  Task<Result<rados::OpReply>> execute(const std::string& object, const RegisterOp& op);
  /// False where it is as good as none.
  bool take_answer(const std::string& object, RegisterOp& op, const Result<rados::OpReply>& reply);

  Runtime& runtime_;
  rados::RadosClient& client_;
  const PoolId pool_;
  History& history_;
  const uint32_t name_;  ///< in the history
  const WorkloadOptions options_;
  Rng rng_;
  bool finishing_ = false;
  TaskGroup group_;
};

/// A piece's bytes, and the pieces of an object's bytes; nullopt where they are damaged.
std::string piece_bytes(char32_t id, size_t size);
std::optional<std::u32string> parse_pieces(std::string_view data);

}  // namespace plimsoll::sim
