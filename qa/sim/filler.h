// SPDX-License-Identifier: LGPL-2.1-or-later
// Filler: a client that fills the pool with FULL_TRY writes until one is refused, then deletes most
// of it with FULL_FORCE, a few times over: other writers are held up and must get going again each
// time.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "common/rados/rados_client.h"
#include "common/rt/task_group.h"

namespace plimsoll::sim {

class Filler {
 public:
  Filler(Runtime& runtime, rados::RadosClient& client, PoolId pool);
  void start() { group_.spawn(run()); }
  /// Deletes all and ends.
  void finish() { finishing_ = true; }
  bool ended() const { return group_.size() == 0; }
  /// How often the pool was full.
  size_t turns() const { return turns_; }
  const std::vector<std::string>& wrong() const { return wrong_; }

 private:
  Task<void> run();
  Task<int32_t> write(std::string object);
  Task<void> remove_until(size_t left);
  Task<int32_t> execute(std::string object, msg::OpCode code, Bytes data, uint32_t flag);

  rados::RadosClient& client_;
  const PoolId pool_;
  std::deque<std::string> objects_;
  uint64_t number_ = 0;
  size_t turns_ = 0;
  bool finishing_ = false;
  std::vector<std::string> wrong_;
  TaskGroup group_;
};

}  // namespace plimsoll::sim
