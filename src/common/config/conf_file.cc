// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/config/conf_file.h"

#include <fmt/format.h>

#include "common/config/option.h"

namespace plimsoll::config {

namespace {

constexpr size_t kMaxBytes = 1 << 20;

std::string_view trim(std::string_view s) {
  const size_t from = s.find_first_not_of(" \t\r\f\v");
  if (from == s.npos) return {};
  return s.substr(from, s.find_last_not_of(" \t\r\f\v") - from + 1);
}

/// A value up to a comment; quotes keep comment signs and outer spaces. False: quote not closed.
bool parse_text(std::string_view raw, std::string& out) {
  raw = trim(raw);
  if (!raw.empty() && (raw.front() == '"' || raw.front() == '\'')) {
    const size_t end = raw.find(raw.front(), 1);
    if (end == raw.npos) return false;
    out = raw.substr(1, end - 1);
    const std::string_view rest = trim(raw.substr(end + 1));
    return rest.empty() || rest.front() == '#' || rest.front() == ';';
  }
  out.clear();
  for (size_t i = 0; i < raw.size(); i++) {
    if (raw[i] == '\\' && i + 1 < raw.size() && (raw[i + 1] == '#' || raw[i + 1] == ';'))
      i++;
    else if (raw[i] == '#' || raw[i] == ';')
      break;
    out += raw[i];
  }
  out = trim(out);
  return true;
}

}  // namespace

Result<ConfFile> ConfFile::parse(std::string path, std::string_view text) {
  ConfFile file;
  file.path = std::move(path);
  if (text.size() > kMaxBytes) return fail(EINVAL, file.path + ": larger than 1 MiB");
  std::string section = "global";
  int number = 0;
  while (!text.empty()) {
    std::string whole;
    const int first = number + 1;
    // Lines joined by a backslash before the end count as one.
    for (bool more = true; more && !text.empty();) {
      const size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == text.npos ? text.size() : end + 1);
      number++;
      if (line.ends_with('\r')) line.remove_suffix(1);
      more = line.ends_with('\\');
      if (more) line.remove_suffix(1);
      whole += line;
    }
    auto bad = [&](const char* why) {
      return fail(EINVAL, fmt::format("{}:{}: {}: '{}'", file.path, first, why, whole));
    };
    const std::string_view line = trim(whole);
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (whole.find('\0') != whole.npos) return bad("not a text");
    if (line.front() == '[') {
      const size_t end = line.find(']');
      if (end == line.npos) return bad("section without ']'");
      section = trim(line.substr(1, end - 1));
      const std::string_view rest = trim(line.substr(end + 1));
      if (section.empty() || !(rest.empty() || rest.front() == '#' || rest.front() == ';'))
        return bad("not a section");
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == line.npos) return bad("expected 'key = value'");
    ConfLine entry{section, normal_name(line.substr(0, equals)), {}, first};
    if (entry.key.empty()) return bad("no key before '='");
    if (!parse_text(line.substr(equals + 1), entry.value)) return bad("quote not closed");
    file.lines.push_back(std::move(entry));
  }
  return file;
}

}  // namespace plimsoll::config
