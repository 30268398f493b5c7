// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/transcripts/harness.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace plimsoll::transcripts {

namespace {

std::set<std::filesystem::path> transcripts_in(const char* folder) {
  std::set<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      paths.insert(entry.path());
  return paths;
}

std::string content(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void show_difference(const std::filesystem::path& path, const std::string& was,
                     const std::string& is) {
  std::istringstream a(was), b(is);
  std::string expected, got;
  int line = 1;
  for (;; line++) {
    const bool more = static_cast<bool>(std::getline(a, expected));
    if (!more) expected = "(the end)";
    if (!std::getline(b, got)) got = "(the end)";
    if (!more || expected != got) break;
  }
  std::cout << path.string() << ":" << line << ": expected '" << expected << "', got '" << got
            << "'\n";
}

}  // namespace

int run_all(const char* folder, Replay replay, int argc, char** argv) {
  const bool rewrite = argc > 1 && std::strcmp(argv[1], "--rewrite") == 0;
  const auto paths = transcripts_in(folder);
  int failures = 0;
  for (const auto& path : paths) {
    const std::string was = content(path);
    std::istringstream in(was);
    const std::string is = replay(in);
    if (is == was) continue;
    if (rewrite) {
      std::ofstream(path) << is;
      continue;
    }
    failures++;
    show_difference(path, was, is);
  }
  std::cout << paths.size() << " transcripts, " << failures << " differ\n";
  return failures || paths.empty() ? 1 : 0;
}

}  // namespace plimsoll::transcripts
