// SPDX-License-Identifier: LGPL-2.1-or-later
// Background: what it takes for a process to go to the background. Fork happens before any thread
// exists; the parent waits for the child's word. Until then the child's stderr is the operator's.
#pragma once

#include <optional>
#include <string>

namespace plimsoll::daemon {

class Background {
 public:
  ~Background();
  /// In the parent: waits for the child and returns the exit code (0 once it is up, else its own).
  /// In the child: nothing.
  std::optional<int> enter(const std::string& program);
  /// The child is up: the parent exits. stdin and stdout end here, stderr goes on into `log_file`
  /// (failed checks and sanitizers write there) or nowhere. Without enter() it does nothing.
  void up(const std::string& log_file);

 private:
  int word_ = -1;  ///< the writing end of the pipe to the parent
};

/// A broken connection is an error of a write, not a signal.
void ignore_sigpipe();
/// Ends the process at once, without destructors.
[[noreturn]] void exit_now(int code);

}  // namespace plimsoll::daemon
