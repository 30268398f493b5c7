// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/log_service.h"

#include <fmt/format.h>

namespace plimsoll::mon {
namespace {

std::string log_key(uint64_t number) {
  return fmt::format("log/{:016x}", number);
}

}  // namespace

LogService::LogService(Runtime& runtime, const config::Config& config, Consensus& consensus,
                       std::string name)
    : runtime_(runtime),
      config_(config),
      consensus_(consensus),
      name_(std::move(name)),
      tasks_(runtime.executor()) {}

Task<Result<>> LogService::load() {
  CO_TRY(pairs, co_await consensus_.list("log/"));
  for (auto& [key, value] : pairs) {
    Result<msg::LogEntry> entry =
        wire::from_bytes<msg::LogEntry>(Bytes::take(std::move(value)), "log entry");
    if (!entry) co_return entry.error();
    if (entry->name == name_) own_seq_ = std::max(own_seq_, entry->seq);
    entries_.push_back(std::move(*entry));
  }
  if (!pairs.empty()) first_ = std::stoull(pairs.front().first.substr(4), nullptr, 16);
  trimmed_ = first_;
  saved_ = first_ + entries_.size() - 1;
  tasks_.spawn(flush_loop());
  co_return Result<>();
}

Task<void> LogService::stop() {
  co_await tasks_.stop();
  KvBatch rest = unsaved_lines();
  if (rest.empty()) co_return;
  const Result<Version> saved = co_await consensus_.propose(std::move(rest));
  if (!saved)
    log_.warn("the last lines of the cluster log are lost: {}", saved.error().to_string());
}

void LogService::add_own(uint8_t level, const char* channel, std::string text) {
  msg::LogEntry e;
  e.stamp = runtime_.clock().wall();
  e.name = name_;
  e.addr = addr_;
  e.seq = ++own_seq_;
  e.level = level;
  e.channel = channel;
  e.text = std::move(text);
  add(std::move(e));
}

void LogService::add(msg::LogEntry entry) {
  if (entry.text.size() > kMaxText) entry.text.resize(kMaxText);
  if (entry.level >= msg::LogEntry::kWarn)
    log_.warn("{}: {}", entry.name, entry.text);
  else if (entry.channel == "cluster")
    log_.info("{}: {}", entry.name, entry.text);
  entries_.push_back(std::move(entry));
  while (entries_.size() > config_.mon_log_max()) {
    entries_.pop_front();
    first_++;
  }
  work_.notify_one();
}

KvBatch LogService::unsaved_lines() {
  KvBatch batch;
  const uint64_t newest = first_ + entries_.size() - 1;
  for (uint64_t n = std::max(saved_ + 1, first_); n <= newest; n++)
    batch.put(log_key(n), wire::to_bytes(entries_[n - first_]).to_string());
  if (first_ > trimmed_) batch.erase_range(log_key(trimmed_), log_key(first_));
  saved_ = newest;
  trimmed_ = first_;
  return batch;
}

Task<void> LogService::flush_loop() {
  while (true) {
    while (saved_ + 1 >= first_ + entries_.size()) co_await work_.wait();
    co_await runtime_.clock().sleep(kFlushDelay);
    const Result<Version> saved = co_await consensus_.propose(unsaved_lines());
    // The lines stay in memory; losing them from the state is no reason to stop.
    if (!saved) log_.warn("lines of the cluster log were not saved: {}", saved.error().to_string());
  }
}

const char* log_level_tag(uint8_t level) {
  switch (level) {
    case msg::LogEntry::kDebug:
      return "[DBG]";
    case msg::LogEntry::kSecurity:
      return "[SEC]";
    case msg::LogEntry::kWarn:
      return "[WRN]";
    case msg::LogEntry::kError:
      return "[ERR]";
    default:
      return "[INF]";
  }
}

uint8_t log_level_from(std::string_view name) {
  if (name == "info") return msg::LogEntry::kInfo;
  if (name == "sec") return msg::LogEntry::kSecurity;
  if (name == "warn") return msg::LogEntry::kWarn;
  if (name == "error") return msg::LogEntry::kError;
  return msg::LogEntry::kDebug;
}

std::string log_line(const msg::LogEntry& e, const std::string& rank) {
  return fmt::format("{} {} ({}) {} : {} {} {}", e.stamp.to_string(), e.name, rank, e.seq,
                     e.channel, log_level_tag(e.level), e.text);
}

}  // namespace plimsoll::mon
