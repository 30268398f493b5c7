// SPDX-License-Identifier: LGPL-2.1-or-later
// LogService: the cluster log, what operators read by `ceph log last`. Lines of this monitor and of
// other daemons go to memory at once and into the consensus state a little later, many in one
// change; a crash may cost the last of them. The oldest are dropped beyond mon_log_max.
#pragma once

#include <deque>
#include <string>

#include "common/config/config.h"
#include "common/log/log.h"
#include "common/msg/mon_peer_messages.h"
#include "common/rt/runtime.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"
#include "mon/consensus/consensus.h"

namespace plimsoll::mon {

class LogService {
 public:
  static constexpr Duration kFlushDelay = 200ms;
  /// Lines of other daemons are cut to this.
  static constexpr size_t kMaxText = 4096;

  LogService(Runtime& runtime, const config::Config& config, Consensus& consensus,
             std::string name);
  Task<Result<>> load();
  Task<void> stop();
  /// What lines of this monitor carry.
  void set_addr(EntityAddr addr) { addr_ = addr; }

  void debug(std::string text) { add_own(msg::LogEntry::kDebug, "cluster", std::move(text)); }
  void info(std::string text) { add_own(msg::LogEntry::kInfo, "cluster", std::move(text)); }
  void warn(std::string text) { add_own(msg::LogEntry::kWarn, "cluster", std::move(text)); }
  void error(std::string text) { add_own(msg::LogEntry::kError, "cluster", std::move(text)); }
  void audit(std::string text) { add_own(msg::LogEntry::kInfo, "audit", std::move(text)); }
  /// A line of another daemon or of an operator.
  void add(msg::LogEntry entry);

  const std::deque<msg::LogEntry>& entries() const { return entries_; }

 private:
  void add_own(uint8_t level, const char* channel, std::string text);
  Task<void> flush_loop();
  KvBatch unsaved_lines();

  Runtime& runtime_;
  const config::Config& config_;
  Consensus& consensus_;
  Logger log_{log::Subsystem::kMon, "cluster"};
  std::string name_;
  EntityAddr addr_;
  uint64_t own_seq_ = 0;
  std::deque<msg::LogEntry> entries_;
  uint64_t first_ = 1;    ///< number of entries_.front()
  uint64_t saved_ = 0;    ///< the newest that is in the state
  uint64_t trimmed_ = 1;  ///< the oldest in the state
  WaitQueue work_;
  TaskGroup tasks_;
};

/// "[INF]" and its kin.
const char* log_level_tag(uint8_t level);
/// By name as in `log last`; kDebug for an unknown one.
uint8_t log_level_from(std::string_view name);
/// "2026-11-20T15:30:17.567167+0000 mon.a (mon.0) 11 : cluster [INF] text"
std::string log_line(const msg::LogEntry& e, const std::string& rank);

}  // namespace plimsoll::mon
