// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/mover/osdmaptool.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "qa/bench/mover/synth_files.h"

namespace plimsoll::mover {

namespace {

PgId pg_from(const std::string& text) {
  const auto pg = PgId::parse(text);
  CHECK_NOTE(pg.has_value(), text.c_str());
  return *pg;
}

/// "[1,NONE,3]", with what follows.
std::vector<OsdId> members_from(std::string_view text) {
  std::vector<OsdId> out;
  std::stringstream members(std::string(text.substr(1, text.find(']') - 1)));
  for (std::string one; std::getline(members, one, ',');)
    out.push_back(one == "NONE" ? kOsdNone : std::stoi(one));
  return out;
}

}  // namespace

Osdmaptool::Osdmaptool() {
  std::string name = (std::filesystem::temp_directory_path() / "plimsoll-osdmaptool-XXXXXX");
  CHECK(mkdtemp(name.data()) != nullptr);
  directory_ = name;
}

Osdmaptool::~Osdmaptool() {
  std::filesystem::remove_all(directory_);
}

bool Osdmaptool::is_installed() {
  return std::system("command -v osdmaptool >/dev/null") == 0;
}

std::vector<std::string> Osdmaptool::run(const map::OSDMap& map, const std::string& arguments) {
  write_osd_map(map, directory_ + "/map");
  const std::string command =
      fmt::format("osdmaptool {0}/map {1} >{0}/stdout 2>{0}/stderr", directory_,
                  fmt::format(fmt::runtime(arguments), directory_));
  CHECK_NOTE(std::system(command.c_str()) == 0, command.c_str());
  std::ifstream in(directory_ + "/stdout");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::set<PgId> Osdmaptool::cleanups(const map::OSDMap& map) {
  run(map, "--upmap-cleanup {0}/out");
  std::ifstream in(directory_ + "/out");
  std::set<PgId> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string ceph, osd, verb, pg;
    words >> ceph >> osd >> verb >> pg;
    out.insert(pg_from(pg));
  }
  return out;
}

std::map<PgId, std::vector<OsdId>> Osdmaptool::up_sets(const map::OSDMap& map) {
  std::map<PgId, std::vector<OsdId>> out;
  for (const std::string& line : run(map, "--mark-up-in --test-map-pgs-dump-all")) {
    const size_t up = line.find(" up ([");
    if (up != std::string::npos)
      out[pg_from(line.substr(0, line.find(' ')))] =
          members_from(std::string_view(line).substr(up + 5));
  }
  return out;
}

}  // namespace plimsoll::mover
