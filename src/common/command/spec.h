// SPDX-License-Identifier: LGPL-2.1-or-later
// What a command looks like: Ceph's one-line signature parsed into words and typed parameters, and
// the descriptions that the stock tools ask for. A signature reads
//   "osd pool set name=pool,type=CephPoolname name=var,type=CephChoices,strings=size|min_size
//    name=val,type=CephString name=yes_i_really_mean_it,type=CephBool,req=false"
// Pure.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace plimsoll::command {

enum class ParamType : uint8_t {
  kString,
  kInt,
  kFloat,
  kBool,
  kChoices,
  kPoolname,
  kOsdName,
  kPgid,
  kObjectname,
  kName,
  kEntityAddr,
  kIPAddr,
  kUUID,
  kFragment,
  kPrefix,
  kFilepath,
  kSocketpath,
};
/// "CephString", ...
const char* type_name(ParamType type);

struct Param {
  std::string name;
  ParamType type = ParamType::kString;
  bool required = true;
  bool many = false;                 ///< n=N: takes all that follows
  std::vector<std::string> strings;  ///< the choices
  std::string range;                 ///< "0", "0.0|1.0"
  std::string goodchars;             ///< a class as in a regular expression: "[A-Za-z0-9-_.]"
  /// All attributes as written, in order of key: what descriptions show.
  std::map<std::string, std::string> attributes;
};

/// Bits of `flags`, as in get_command_descriptions.
enum : uint32_t {
  kFlagNoForward = 1,
  kFlagObsolete = 2,
  kFlagDeprecated = 4,
  kFlagMgr = 8,
  kFlagPoll = 16,
  kFlagHidden = 32,
};

struct Spec {
  /// A literal word, or an index into `params`.
  struct Item {
    std::string word;  ///< empty for a parameter
    size_t param = 0;
  };
  std::vector<Item> items;
  std::vector<Param> params;
  std::string prefix;  ///< the words joined by spaces: what requests name the command by
  std::string help;
  std::string module;
  std::string perm;
  uint32_t flags = 0;

  const Param* find(std::string_view name) const;
  /// "osd pool rm <pool> [<pool2>] [--yes-i-really-mean-it]", as the stock tool shows it.
  std::string usage() const;
};

/// Signatures are literals of ours: a malformed one is a bug (CHECK).
Spec parse_spec(std::string_view signature, std::string help, std::string module = "",
                std::string perm = "", uint32_t flags = 0);

/// {"cmd000": {"sig": [...], "help": ..}}; `full` adds module, perm and flags, as monitors do.
boost::json::object descriptions(const std::vector<const Spec*>& specs, bool full);
/// doc/generated/commands.md: one table under a heading.
std::string markdown(std::string_view title, const std::vector<const Spec*>& specs);

}  // namespace plimsoll::command
