// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/log/log.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

namespace plimsoll::log {

namespace {

class StderrSink : public Sink {
 public:
  void write(Severity severity, Subsystem, const std::string& context,
             const std::string& text) override {
    if (severity >= Severity::kWarn)
      std::fprintf(stderr, "%s: %s\n", context.c_str(), text.c_str());
  }
};

class SpdlogSink : public Sink {
 public:
  SpdlogSink(const std::string& path, bool also_stderr) {
    std::vector<spdlog::sink_ptr> sinks;
    if (!path.empty()) {
      file_ = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path, false);
      sinks.push_back(file_);
    }
    if (also_stderr || path.empty())
      sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger_ = std::make_unique<spdlog::logger>("plimsoll", sinks.begin(), sinks.end());
    logger_->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %t %L %v");
    logger_->set_level(spdlog::level::trace);
    logger_->flush_on(spdlog::level::info);
  }
  void write(Severity severity, Subsystem subsystem, const std::string& context,
             const std::string& text) override {
    static constexpr spdlog::level::level_enum kLevels[] = {
        spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    logger_->log(kLevels[static_cast<size_t>(severity)], "{} {}: {}", subsystem_name(subsystem),
                 context, text);
  }
  void flush() { logger_->flush(); }

 private:
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file_;
  std::unique_ptr<spdlog::logger> logger_;
};

StderrSink stderr_sink;
Sink* current = &stderr_sink;
std::unique_ptr<SpdlogSink> file_sink;

}  // namespace

const char* subsystem_name(Subsystem s) {
  static constexpr const char* kNames[] = {"none",     "ms",  "mon",    "monc",  "osd",  "store",
                                           "objecter", "mds", "client", "mover", "asok", "config"};
  static_assert(std::size(kNames) == static_cast<size_t>(Subsystem::kCount));
  return kNames[static_cast<size_t>(s)];
}

void set_sink(Sink* sink) { current = sink; }

void init_file(const std::string& path, bool also_stderr) {
  file_sink = std::make_unique<SpdlogSink>(path, also_stderr);
  current = file_sink.get();
}

void flush() {
  if (file_sink) file_sink->flush();
}

void write(Severity severity, Subsystem subsystem, const std::string& context,
           fmt::string_view format, fmt::format_args args) {
  current->write(severity, subsystem, context, fmt::vformat(format, args));
}

}  // namespace plimsoll::log
