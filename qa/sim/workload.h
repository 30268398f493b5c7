// SPDX-License-Identifier: LGPL-2.1-or-later
// Workload: tasks of one client that write, append, delete and read a few objects at once, and a
// history of what they were answered. An object's data is a sequence of pieces, each of which names
// itself and fills its length with bytes that follow from its id, so that a read says what it saw
// or that the data is damaged.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/rados/rados_client.h"
#include "common/rt/task_group.h"
#include "qa/sim/register_check.h"

namespace plimsoll::sim {

struct WorkloadOptions {
  int tasks = 4;
  int objects = 6;
  int operations = 400;         ///< per task, at most
  size_t max_piece = 40'000;
  Duration think = 150ms;       ///< at most, between operations
};

class Workload {
 public:
  Workload(Runtime& runtime, rados::RadosClient& client, PoolId pool, WorkloadOptions options);

  /// Starts the tasks.
  void start();
  /// No new operations.
  void finish() { finishing_ = true; }
  bool ended() const { return group_.size() == 0; }
  /// One more task, beside the others: reads every object.
  void start_read_back() { group_.spawn(read_back()); }
  /// Reads every object once more.
  Task<void> read_back();
  /// What went wrong; empty where every answer can be explained.
  std::vector<std::string> check() const;
  size_t operations() const;
  /// Changes that were acknowledged so far.
  size_t acknowledged() const { return acknowledged_; }

 private:
  Task<void> run_task();
  Task<void> run_one(std::string object, RegisterOp op, size_t size);
  Task<Result<rados::OpReply>> execute(const std::string& object, const RegisterOp& op,
                                       size_t size);
  void take_answer(const std::string& object, RegisterOp op, const Result<rados::OpReply>& reply);

  Runtime& runtime_;
  rados::RadosClient& client_;
  const PoolId pool_;
  const WorkloadOptions options_;
  Rng rng_;
  char32_t next_piece_ = 1;
  bool finishing_ = false;
  size_t acknowledged_ = 0;
  std::map<std::string, std::vector<RegisterOp>> histories_;
  std::vector<std::string> wrong_;
  TaskGroup group_;
};

/// A piece's bytes, and the pieces of an object's bytes; nullopt where they are damaged.
std::string piece_bytes(char32_t id, size_t size);
std::optional<std::u32string> parse_pieces(std::string_view data);

}  // namespace plimsoll::sim
