// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-docgen [--check] <directory>: writes options.md, commands.md and metrics.md from the
// tables, or says which of them differ.
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "command_tables.h"
#include "common/config/docs.h"
#include "common/daemon/generic_commands.h"
#include "common/metrics/counters.h"

namespace plimsoll::docgen {

namespace {

/// The commands that the frame gives to every daemon need a config and counters to be listed.
std::vector<command::Spec> generic_specs() {
  config::Config config;
  metrics::Counters counters("osd");
  command::DaemonTable table;
  command::add_builtin_commands(table);
  daemon::add_generic_commands(table, config, counters);
  std::vector<command::Spec> out;
  for (const auto* spec : table.specs()) out.push_back(*spec);
  return out;
}

std::string commands_markdown() {
  std::string out =
      "# Commands\n\n"
      "Generated from the command tables; do not edit. Cluster commands are given to the stock "
      "`ceph` tool; a "
      "daemon's own by `ceph daemon <socket>` or `ceph tell <daemon>`.\n";
  auto section = [&out](const char* title, const std::vector<command::Spec>& specs) {
    std::vector<const command::Spec*> list;
    for (const auto& s : specs) list.push_back(&s);
    out += command::markdown(title, list);
  };
  section("Every daemon", generic_specs());
  for (const auto& table : command_tables()) section(table.title, table.specs());
  return out;
}

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int run(bool check, const std::string& directory) {
  const std::pair<const char*, std::string> files[] = {
      {"options.md", config::options_markdown()},
      {"commands.md", commands_markdown()},
      {"metrics.md", metrics::counters_markdown()}};
  int rc = 0;
  for (const auto& [name, text] : files) {
    const std::string path = directory + "/" + name;
    if (check) {
      if (read(path) == text) continue;
      std::fprintf(stderr, "%s differs from its table: run plimsoll-docgen %s\n", path.c_str(),
                   directory.c_str());
      rc = 1;
      continue;
    }
    std::ofstream out(path, std::ios::binary);
    out << text;
    out.close();
    if (out.fail()) {
      std::fprintf(stderr, "cannot write %s\n", path.c_str());
      rc = 1;
    }
  }
  return rc;
}

}  // namespace

}  // namespace plimsoll::docgen

int main(int argc, char** argv) {
  const bool check = argc == 3 && std::string(argv[1]) == "--check";
  if (argc != 2 && !check) {
    std::fprintf(stderr, "usage: plimsoll-docgen [--check] <directory>\n");
    return 2;
  }
  return plimsoll::docgen::run(check, argv[argc - 1]);
}
