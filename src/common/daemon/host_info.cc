// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/host_info.h"

#include <bit>
#include <sstream>

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

std::string read(Runtime& runtime, const std::string& path) {
  const Result<std::string> text = runtime.read_file(path);
  return text ? *text : std::string();
}

std::string digits(const std::string& text) {
  return text.substr(0, text.find(' '));
}

}  // namespace

std::map<std::string, std::string> host_info(Runtime& runtime) {
  const std::string release = read(runtime, "/etc/os-release");
  const std::string memory = read(runtime, "/proc/meminfo");
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
      {"cpu", value_in(read(runtime, "/proc/cpuinfo"), "model name")},
      {"distro", value_in(release, "ID=")},
      {"distro_description", value_in(release, "PRETTY_NAME=")},
      {"distro_version", value_in(release, "VERSION_ID=")},
      {"kernel_description", first_line(read(runtime, "/proc/sys/kernel/version"))},
      {"kernel_version", first_line(read(runtime, "/proc/sys/kernel/osrelease"))},
      {"mem_swap_kb", digits(value_in(memory, "SwapTotal:"))},
      {"mem_total_kb", digits(value_in(memory, "MemTotal:"))},
  };
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

// ---- disks --------------------------------------------------------------------------------------

std::string device_of(const std::string& mountinfo, const std::string& path) {
  std::istringstream lines(mountinfo);
  std::string best, device;
  for (std::string line; std::getline(lines, line);) {
    // id, parent, device, root, mount point, ...
    std::istringstream fields(line);
    std::string id, parent, number, root, point;
    if (!(fields >> id >> parent >> number >> root >> point)) continue;
    const bool holds = point == "/" || path == point || path.starts_with(point + "/");
    // A later mount at the same point hides the earlier.
    if (!holds || point.size() < best.size()) continue;
    best = point;
    device = number;
  }
  return device;
}

std::map<std::string, std::string> disk_info(Runtime& runtime, const std::string& path) {
  const std::string number = device_of(read(runtime, "/proc/self/mountinfo"), path);
  if (number.empty()) return {};
  std::string sys = "/sys/dev/block/" + number + "/";
  if (!read(runtime, sys + "partition").empty()) sys += "../";
  const std::string name = value_in(read(runtime, sys + "uevent"), "DEVNAME");
  const std::string rotational = first_line(read(runtime, sys + "queue/rotational"));
  if (name.empty() || rotational.empty()) return {};
  return {{"devices", name}, {"rotational", rotational}};
}

// ---- interfaces ---------------------------------------------------------------------------------

std::string interface_of(const std::string& routes, const EntityAddr& addr) {
  constexpr uint16_t kIpv4 = 2;
  if (addr.family != kIpv4) return "";
  // The kernel prints addresses as host integers of their bytes in network order.
  const uint32_t ip = addr.ip[0] | addr.ip[1] << 8 | addr.ip[2] << 16 | uint32_t{addr.ip[3]} << 24;
  std::istringstream lines(routes);
  std::string best;
  int longest = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, flags, references, uses, metric;
    uint32_t destination, gateway, mask;
    if (!(fields >> name >> std::hex >> destination >> gateway >> flags >> references >> uses >>
          metric >> mask))
      continue;
    const int bits = std::popcount(mask);
    if (gateway || (ip & mask) != destination || bits <= longest) continue;
    longest = bits;
    best = name;
  }
  return best;
}

}  // namespace plimsoll::daemon
