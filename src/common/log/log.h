// SPDX-License-Identifier: LGPL-2.1-or-later
// Logging: a thin, type-erased front; log.cc alone knows spdlog. A Logger carries a subsystem,
// whose level the options debug_<subsystem> set as in Ceph (0 quiet .. 20 everything), and a
// context ("osd.3 pg 1.2f"), since in a simulation many daemons share one process. Messages say the
// event, then the facts. error: an operator must act.
#pragma once

#include <fmt/core.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace plimsoll {

namespace log {

enum class Subsystem : uint8_t {
  kNone,
  kMs,
  kMon,
  kMonc,
  kOsd,
  kStore,
  kObjecter,
  kMds,
  kClient,
  kMover,
  kAsok,
  kConfig,
  kCount
};
const char* subsystem_name(Subsystem s);

/// Ceph's sense: lines of debug() with level <= this are written. Default 0 (5 would be chatty).
inline std::atomic<int> debug_level[static_cast<size_t>(Subsystem::kCount)];

enum class Severity : uint8_t { kDebug, kInfo, kWarn, kError };
struct Sink {
  virtual ~Sink() = default;
  virtual void write(Severity severity, Subsystem subsystem, const std::string& context,
                     const std::string& text) = 0;
};
/// Where lines go; the default drops debug and info and writes the rest to stderr. The sink must
/// outlive its use; the simulator installs one that counts errors. Set before threads start.
void set_sink(Sink* sink);

/// Logs to a file ("" = stderr only) through spdlog.
void init_file(const std::string& path, bool also_stderr);
void flush();

void write(Severity severity, Subsystem subsystem, const std::string& context,
           fmt::string_view format, fmt::format_args args);

}  // namespace log

class Logger {
 public:
  explicit Logger(log::Subsystem subsystem, std::string context = {})
      : subsystem_(subsystem), context_(std::move(context)) {}

  bool enabled(int level) const {
    return level <=
           log::debug_level[static_cast<size_t>(subsystem_)].load(std::memory_order_relaxed);
  }
  template <class... A>
  void debug(int level, fmt::format_string<A...> format, A&&... args) const {
    if (enabled(level))
      log::write(log::Severity::kDebug, subsystem_, context_, format,
                 fmt::make_format_args(args...));
  }
  template <class... A>
  void info(fmt::format_string<A...> format, A&&... args) const {
    log::write(log::Severity::kInfo, subsystem_, context_, format, fmt::make_format_args(args...));
  }
  template <class... A>
  void warn(fmt::format_string<A...> format, A&&... args) const {
    log::write(log::Severity::kWarn, subsystem_, context_, format, fmt::make_format_args(args...));
  }
  template <class... A>
  void error(fmt::format_string<A...> format, A&&... args) const {
    log::write(log::Severity::kError, subsystem_, context_, format, fmt::make_format_args(args...));
  }
  const std::string& context() const { return context_; }
  /// The same subsystem with a longer context.
  Logger with(std::string context) const { return Logger(subsystem_, std::move(context)); }

 private:
  log::Subsystem subsystem_;
  std::string context_;
};

}  // namespace plimsoll
