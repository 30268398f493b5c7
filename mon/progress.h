// SPDX-License-Identifier: LGPL-2.1-or-later
// Progress: how far the cluster has come in bringing all copies to where they belong. An event
// begins when copies are degraded or misplaced, and ends when none is; it is measured against the
// most that there was. Told from statistics alone, so a monitor that starts anew begins anew.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/rt/runtime.h"

namespace plimsoll::mon {

struct ProgressEvent {
  std::string id;
  std::string title;
  TimePoint began, now;
  double fraction = 0;  ///< 0 to 1
  Duration elapsed() const { return now - began; }
  /// At the pace so far; nullopt where nothing has been done yet.
  std::optional<Duration> remaining() const;
  /// Two lines as `ceph -s` shows them, the second indented.
  std::string text() const;
};

class Progress {
 public:
  /// `copies` of objects are not where they belong.
  void update(int64_t copies, TimePoint now);

  std::optional<ProgressEvent> current() const;
  /// The last ones, newest last.
  const std::vector<ProgressEvent>& completed() const { return completed_; }

 private:
  static constexpr size_t kCompleted = 16;
  int64_t most_ = 0, left_ = 0;
  uint64_t count_ = 0;
  TimePoint began_, now_;
  std::vector<ProgressEvent> completed_;
};

}  // namespace plimsoll::mon
