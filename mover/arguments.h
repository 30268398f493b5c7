// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of plimsoll-mover: a command, its words, and options from one table that says
// which commands take them, so that `--help` and the refusal of a misplaced option cannot differ.
// (The daemons' table has no commands, and -f means another thing there.)
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace plimsoll::mover {

struct CommandInfo {
  const char* name;
  const char* words;  ///< for --help
  const char* help;
};
const std::vector<CommandInfo>& command_infos();

class Arguments {
 public:
  /// EINVAL names the word that does not fit.
  static Result<Arguments> parse(const std::vector<std::string>& args);

  const std::string& command() const { return command_; }
  const std::vector<std::string>& words() const { return words_; }
  bool has(std::string_view option) const { return options_.count(std::string(option)) > 0; }
  /// The last value, or `otherwise`.
  std::string text(std::string_view option, std::string otherwise = {}) const;
  /// All of its values, those by commas apart.
  std::vector<std::string> list(std::string_view option) const;
  /// EINVAL names the option.
  Result<uint64_t> number(std::string_view option, uint64_t otherwise) const;
  Result<uint64_t> size(std::string_view option, uint64_t otherwise) const;  ///< "10T"

 private:
  std::string command_;
  std::vector<std::string> words_;
  std::map<std::string, std::vector<std::string>> options_;
};

/// "a,b" -> a, b; empty parts are left out.
std::vector<std::string> split_commas(std::string_view text);

std::string usage();

}  // namespace plimsoll::mover
