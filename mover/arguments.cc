// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/config/option.h"

namespace plimsoll::mover {

namespace {

struct OptionInfo {
  const char* name;
  char letter;           ///< 0: none
  const char* value;     ///< "" for a switch
  const char* commands;  ///< that take it; "" is all
  const char* help;
};

constexpr OptionInfo kOptions[] = {
    {"dump", 0, "D", "gather plan check simulate show",
     "a saved dump: what gather wrote, or a directory with osd_dump.json, crush_dump.json, "
     "pg_dump.json and osd_df.json as `ceph ... -f json` prints them; without it, the live "
     "cluster"},
    {"conf", 'c', "FILE", "", "the cluster's ceph.conf"},
    {"name", 'n', "NAME", "", "who connects (client.admin)"},
    {"id", 0, "ID", "", "the same without 'client.'"},
    {"format", 'f', "FORMAT", "plan show simulate check",
     "plain, json, json-pretty, or ceph: commands to paste into a shell"},
    {"output", 'o', "FILE", "plan simulate check",
     "a new file: the plan; the dump after it; the map with its entries, for osdmaptool"},
    {"above", 0, "FILL", "plan",
     "relieve devices above 85%, 0.85, nearfull, backfillfull or full "
     "(nearfull)"},
    {"to", 0, "FILL", "plan", "bring them down to this (as --above)"},
    {"within", 0, "FILL", "plan", "balance: distance from the mean (1%)"},
    {"pool", 0, "POOL", "plan", "move only this pool's PGs; may be repeated"},
    {"target", 0, "OSDS", "plan", "move only to these; may be repeated"},
    {"cordon", 0, "OSDS", "plan", "move nothing to these, besides config-key mover/cordon"},
    {"selection", 0, "HOW", "plan", "best-fit (fewest bytes) or largest (fewest moves)"},
    {"max-bytes", 0, "SIZE", "plan", "copy at most this in all: 10T"},
    {"max-moves", 0, "N", "plan", "at most so many moves"},
    {"backfills", 0, "N", "plan", "moves in and out of a device in one wave (1)"},
    {"wave-bytes", 0, "SIZE", "plan", "copy at most this in one wave"},
    {"peak", 0, "FILL", "plan", "no device above this, ever (backfillfull less 0.5%)"},
    {"predict", 0, "TIME", "plan", "judge devices as they will be after 72h or 7d of --growth"},
    {"growth", 0, "POOL=SIZE", "plan", "a pool's logical growth: rbd=2T/day; may be repeated"},
    {"explain", 0, "", "show plan", "say of every move what it is for"},
    {"diff", 0, "", "show", "the pg_upmap_items entries before and after"},
    {"force", 0, "", "plan show", "print commands although the cluster would fight or refuse them"},
    {"help", 'h', "", "", "print this"},
    {"version", 'v', "", "", "print the version"},
};

const OptionInfo* find_option(std::string_view name) {
  for (const auto& o : kOptions)
    if (name == o.name) return &o;
  return nullptr;
}
const OptionInfo* find_letter(char letter) {
  for (const auto& o : kOptions)
    if (letter && letter == o.letter) return &o;
  return nullptr;
}

bool takes(const OptionInfo& option, const std::string& command) {
  const std::string commands = fmt::format(" {} ", option.commands);
  return commands == "  " || commands.find(" " + command + " ") != std::string::npos;
}

std::string wrapped(const std::string& text, size_t indent, size_t columns) {
  std::string out;
  size_t column = indent;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (column > indent && column + 1 + word.size() > columns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      column++;
    }
    out += word;
    column += word.size();
    at = end + 1;
  }
  return out;
}

}  // namespace

const std::vector<CommandInfo>& command_infos() {
  static const std::vector<CommandInfo> infos = {
      {"gather", "FILE", "write what the mover reads of a cluster to a new file, or to - (stdout)"},
      {"plan relieve", "[OSDS...]", "bring devices (all, or these) that are too full down"},
      {"plan drain", "OSDS...", "move everything off these devices"},
      {"plan balance", "[OSDS...]", "bring every device close to the mean"},
      {"plan fill", "OSDS...", "bring new, empty devices up to the mean"},
      {"plan move", "PG FROM TO", "one shard by hand, with the same checks"},
      {"show", "PLAN", "print a plan again"},
      {"check", "PLAN", "judge a plan against the cluster as it is now"},
      {"simulate", "PLAN", "the cluster after the plan: a summary, and a dump with -o"},
  };
  return infos;
}

Result<Arguments> Arguments::parse(const std::vector<std::string>& args) {
  Arguments out;
  std::vector<std::string> words;
  for (size_t i = 0; i < args.size(); i++) {
    const std::string& arg = args[i];
    if (arg == "-" || !arg.starts_with('-')) {
      words.push_back(arg);
      continue;
    }
    const size_t equals = arg.find('=');
    const bool is_long = arg.starts_with("--");
    const OptionInfo* option = is_long           ? find_option(arg.substr(2, equals - 2))
                               : arg.size() == 2 ? find_letter(arg[1])
                                                 : nullptr;
    if (!option) return fail(EINVAL, fmt::format("unknown option '{}'", arg));
    std::string value;
    const bool inlined = is_long && equals != std::string::npos;
    if (!*option->value && inlined)
      return fail(EINVAL, fmt::format("--{} takes no value", option->name));
    if (inlined)
      value = arg.substr(equals + 1);
    else if (*option->value && ++i == args.size())
      return fail(EINVAL, fmt::format("{} needs a value: {}", arg, option->value));
    else if (*option->value)
      value = args[i];
    out.options_[option->name].push_back(std::move(value));
  }
  if (!words.empty()) {
    out.command_ = words[0];
    out.words_.assign(words.begin() + 1, words.end());
  }
  for (const auto& [name, values] : out.options_)
    if (!out.command_.empty() && !takes(*find_option(name), out.command_))
      return fail(EINVAL, fmt::format("--{} is no option of '{}'", name, out.command_));
  return out;
}

std::string Arguments::text(std::string_view option, std::string otherwise) const {
  auto it = options_.find(std::string(option));
  return it == options_.end() ? otherwise : it->second.back();
}

std::vector<std::string> Arguments::list(std::string_view option) const {
  std::vector<std::string> out;
  auto it = options_.find(std::string(option));
  if (it == options_.end()) return out;
  for (const std::string& value : it->second)
    for (std::string& part : split_commas(value)) out.push_back(std::move(part));
  return out;
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> out;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.emplace_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return out;
}

Result<uint64_t> Arguments::number(std::string_view option, uint64_t otherwise) const {
  if (!has(option)) return otherwise;
  const std::string value = text(option);
  uint64_t v = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), v);
  if (error != std::errc() || end != value.data() + value.size() || v > UINT32_MAX)
    return fail(EINVAL, fmt::format("--{}: '{}' is no number", option, value));
  return v;
}

Result<uint64_t> Arguments::size(std::string_view option, uint64_t otherwise) const {
  if (!has(option)) return otherwise;
  auto v = config::parse_size(text(option));
  if (!v) return fail(EINVAL, fmt::format("--{}: '{}' is no size", option, text(option)));
  return *v;
}

std::string usage() {
  std::string out =
      "usage: plimsoll-mover COMMAND [WORDS...] [OPTIONS]\n\n"
      "Plans moves of placement groups between OSDs by their bytes. Changes nothing "
      "by itself.\n\ncommands:\n";
  for (const auto& c : command_infos())
    out += fmt::format("  {:<26}{}\n", fmt::format("{} {}", c.name, c.words),
                       wrapped(c.help, 28, 100));
  out +=
      "\nOSDS are osd.3, host:NAME, rack:NAME, class:NAME or any CRUSH name, by commas or "
      "apart.\n\noptions:\n";
  for (const auto& o : kOptions) {
    const std::string left =
        fmt::format("{}--{}{}{}", o.letter ? fmt::format("-{}, ", o.letter) : "", o.name,
                    *o.value ? " " : "", o.value);
    out += fmt::format("  {:<26}{}\n", left, wrapped(o.help, 28, 100));
  }
  out +=
      "\nexit codes: 0 done; 1 an error in the input or the command; 2 the plan does not reach "
      "its goal\n(it is printed all the same); 3 check has warnings; 4 check refuses the plan\n";
  return out;
}

}  // namespace plimsoll::mover
