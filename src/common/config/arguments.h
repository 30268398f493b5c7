// SPDX-License-Identifier: LGPL-2.1-or-later
// The command line of daemons: every option of the table as --name value or --name=value (a bool
// also as --name, --no-name), and -c, -i/--id, -n/--name, --cluster, -m, -f, -d, --version, --help.
// A program adds flags of its own (--mkfs) by name.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/config/config.h"

namespace plimsoll::config {

struct Arguments {
  std::string conf;  ///< -c; empty: not given
  std::string id;    ///< -i
  std::string cluster = "ceph";
  bool foreground = false;
  bool version = false;
  bool help = false;
  std::vector<std::pair<std::string, std::string>> options;  ///< in order, names normalised
  std::vector<std::pair<std::string, std::string>> flags;  ///< the program's own, "" without value
  std::vector<std::string> rest;                           ///< what is no option

  bool has_flag(std::string_view name) const;
  /// The value, the last where there are more.
  std::string flag(std::string_view name) const;
  std::vector<std::string> flag_values(std::string_view name) const;
};

/// A program's own flag; `value` names its arguments for --help, a word each, empty where it takes
/// none.
struct ProgramFlag {
  std::string name;
  std::string value;
  std::string help;
};

/// EINVAL names the argument: unknown option, missing value.
Result<Arguments> parse_arguments(const std::vector<std::string>& args,
                                  const std::vector<ProgramFlag>& flags = {});
/// Sets the options at Source::kCommandLine.
Result<> apply_arguments(Config& config, const Arguments& arguments);
/// Usage of a program with the options of one service.
std::string usage(const std::string& program, const std::string& service,
                  const std::vector<ProgramFlag>& flags);

}  // namespace plimsoll::config
