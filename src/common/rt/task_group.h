// SPDX-License-Identifier: LGPL-2.1-or-later
// TaskGroup: the owner of running tasks. Every object that spawns has one and awaits stop() before
// it dies: all tasks are cancelled, and stop() returns when the last has ended. One executor.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <list>

#include "common/rt/sync.h"
#include "common/rt/task.h"

namespace plimsoll {

class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  /// All tasks must have ended; a runtime that is torn down whole (a simulated kill) abandons them.
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;

  /// Starts `task`; after stop() began it is dropped unstarted. A task that ends by an exception
  /// other than cancellation is a bug and aborts.
  void spawn(Task<void> task);
  /// Cancels all and waits for them; not to be called from a task of the group.
  Task<void> stop();
  /// Waits until no task runs.
  Task<void> join();
  size_t size() const { return running_.size(); }
  bool stopping() const { return stopping_; }
  const Executor& executor() const { return executor_; }

 private:
  struct Running {
    boost::asio::cancellation_signal cancel;
  };
  /// Shared with the completion handlers, which may outlive an abandoned group.
  struct Gone {
    TaskGroup* group;
  };
  Executor executor_;
  std::list<Running> running_;
  bool stopping_ = false;
  WaitQueue ended_;
  std::shared_ptr<Gone> self_;
};

}  // namespace plimsoll
