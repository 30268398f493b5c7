// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/host_info.h"

#include "common/command/version.h"

namespace plimsoll::daemon {
namespace {

/// The value of the first line that begins with `key`, after separators, without quotes.
std::string value_in(const std::string& text, const std::string& key) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (text.compare(at, key.size(), key) == 0) {
      size_t from = text.find_first_not_of(" \t:=\"", at + key.size());
      size_t to = end;
      while (to > at && (text[to - 1] == '"' || text[to - 1] == ' ')) to--;
      return from < to ? text.substr(from, to - from) : "";
    }
    at = end + 1;
  }
  return "";
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string digits(const std::string& text) {
  return text.substr(0, text.find(' '));
}

}  // namespace

std::map<std::string, std::string> host_info(Runtime& runtime) {
  const auto read = [&runtime](const char* path) {
    const Result<std::string> text = runtime.read_file(path);
    return text ? *text : std::string();
  };
  const std::string release = read("/etc/os-release");
  const std::string memory = read("/proc/meminfo");
  std::map<std::string, std::string> all{
      {"hostname", runtime.host_name()},
      {"ceph_release", kCephRelease},
      {"ceph_version", kVersionText},
      {"ceph_version_short", kCephVersion},
      {"os", "Linux"},
#if defined(__x86_64__)
      {"arch", "x86_64"},
#elif defined(__aarch64__)
      {"arch", "aarch64"},
#endif
      {"cpu", value_in(read("/proc/cpuinfo"), "model name")},
      {"distro", value_in(release, "ID=")},
      {"distro_description", value_in(release, "PRETTY_NAME=")},
      {"distro_version", value_in(release, "VERSION_ID=")},
      {"kernel_description", first_line(read("/proc/sys/kernel/version"))},
      {"kernel_version", first_line(read("/proc/sys/kernel/osrelease"))},
      {"mem_swap_kb", digits(value_in(memory, "SwapTotal:"))},
      {"mem_total_kb", digits(value_in(memory, "MemTotal:"))},
  };
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

}  // namespace plimsoll::daemon
