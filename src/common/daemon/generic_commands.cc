// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/generic_commands.h"

#include <fmt/format.h>

#include "common/config/arguments.h"
#include "common/log/log.h"
#include "common/rt/real/heap.h"

namespace plimsoll::daemon {

namespace json = boost::json;
using command::Args;
using command::Caller;
using command::CommandReply;
using command::errno_text;
using command::sync;
using config::Config;
using metrics::Counters;

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& w : words) out += (out.empty() ? "" : " ") + w;
  return out;
}

/// "osd_max_backfills = '4' ", with a note where the change shows only after a restart.
Result<std::string> set_option(Config& config, const std::string& name, const std::string& value) {
  const auto set = config.set(name, value);
  if (!set) {
    Logger(log::Subsystem::kConfig, config.who().name())
        .warn("config set {} = '{}' refused: {}", name, value, set.error().text());
    return fail(set.error().code(), fmt::format("error setting '{}' to '{}': {}", name, value,
                                                errno_text(set.error().code())));
  }
  return fmt::format("{} = '{}' ", name, config.get(name).value());
}

CommandReply config_get(Config& config, const Args& args) {
  const std::string name = args.str("var");
  const auto value = config.get(name);
  if (!value) return fail(ENOENT, fmt::format("error getting '{}': {}", name, errno_text(ENOENT)));
  return CommandReply::json(json::object{{name, *value}}, args.format());
}

CommandReply config_set(Config& config, const Args& args) {
  const auto done = set_option(config, args.str("var"), joined(args.strings("val")));
  if (!done) return done.error();
  return CommandReply::json(json::object{{"success", *done}}, args.format());
}

CommandReply config_unset(Config& config, const Args& args) {
  const std::string name = args.str("var");
  if (!config.unset(name))
    return fail(ENOENT, fmt::format("error unsetting '{}': {}", name, errno_text(ENOENT)));
  return CommandReply::json(json::object(), args.format());
}

CommandReply config_diff_get(Config& config, const Args& args) {
  const auto diff = config.diff_get(args.str("var"));
  if (!diff)
    return fail(ENOENT, fmt::format("error getting '{}': {}", args.str("var"), errno_text(ENOENT)));
  return CommandReply::json(*diff, args.format());
}

CommandReply config_help(Config& config, const Args& args) {
  const std::string name = args.str_or("var", "");
  const auto help = config.help(name);
  if (!help) return fail(ENOENT, fmt::format("Setting not found: '{}'", name));
  return CommandReply::json(*help, args.format());
}

/// "--osd_max_backfills=4", "--osd-max-backfills 4", all in one text or several.
CommandReply injectargs(Config& config, const Args& args) {
  std::vector<std::string> words;
  const std::string text = joined(args.strings("injected_args"));
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  const auto parsed = config::parse_arguments(words);
  if (!parsed) return parsed.error();
  std::string outs;
  for (const auto& [name, value] : parsed->options) {
    const auto done = set_option(config, name, value);
    if (!done) return done.error();
    outs += *done;
  }
  return CommandReply(0, outs, Bytes::copy("{}\n"));
}

CommandReply perf(const json::object& dump, const Args& args) {
  return CommandReply::text(command::print(dump, args.format(), command::Floats::kNineDecimals));
}

CommandReply perf_reset(Counters& counters, const Args& args) {
  const std::string name = args.str("var");
  json::object out;
  if (counters.reset(name))
    out["success"] = "perf reset " + name;
  else
    out["error"] = "Not find: " + name;
  return CommandReply::json(out, args.format());
}

CommandReply heap(Config& config, const Args& args) {
  const Error no_allocator =
      fail(EOPNOTSUPP, "could not issue heap profiler command -- not using tcmalloc!");
  if (args.str("heapcmd") == "release") {
    if (!real::release_heap()) return no_allocator;
    return CommandReply::text(config.who().name() + " releasing free RAM back to system.\n");
  }
  const std::string stats = real::heap_stats();
  if (stats.empty()) return no_allocator;
  return CommandReply::text(config.who().name() + " tcmalloc heap stats:" + stats);
}

void add_config_commands(command::DaemonTable& table, Config& config) {
  auto add = [&](const char* signature, const char* help,
                 CommandReply (*fn)(Config&, const Args&)) {
    table.add(signature, help,
              sync<Caller>([&config, fn](Caller&, const Args& a) { return fn(config, a); }));
  };
  add("config show", "all options and the values in force",
      [](Config& c, const Args& a) { return CommandReply::json(c.show(), a.format()); });
  add("config diff", "options that are set somewhere, with each source's value",
      [](Config& c, const Args& a) { return CommandReply::json(c.diff(), a.format()); });
  add("config diff get name=var,type=CephString", "one option with each source's value",
      config_diff_get);
  add("config get name=var,type=CephString", "the value of one option", config_get);
  add("config set name=var,type=CephString name=val,type=CephString,n=N",
      "set an option until the daemon ends", config_set);
  add("config unset name=var,type=CephString", "take back what `config set` set", config_unset);
  add("config help name=var,type=CephString,req=false",
      "type, default, range and purpose of one option or of all", config_help);
  add("injectargs name=injected_args,type=CephString,n=N",
      "set options given as command line arguments", injectargs);
}

void add_perf_commands(command::DaemonTable& table, Counters& counters) {
  auto add = [&](const char* signature, const char* help,
                 CommandReply (*fn)(Counters&, const Args&)) {
    table.add(signature, help,
              sync<Caller>([&counters, fn](Caller&, const Args& a) { return fn(counters, a); }));
  };
  add("1", "", [](Counters& c, const Args& a) { return perf(c.dump(), a); });
  add("2", "", [](Counters& c, const Args& a) { return perf(c.schema(), a); });
  add("perf dump name=logger,type=CephString,req=false name=counter,type=CephString,req=false",
      "values of the counters, of one group or counter where named",
      [](Counters& c, const Args& a) {
        return perf(c.dump(a.str_or("logger", ""), a.str_or("counter", "")), a);
      });
  add("perf schema", "types and descriptions of the counters",
      [](Counters& c, const Args& a) { return perf(c.schema(), a); });
  add("perf reset name=var,type=CephString", "set the counters of a group, or all, to zero",
      perf_reset);
}

}  // namespace

void add_generic_commands(command::DaemonTable& table, Config& config, Counters& counters) {
  add_config_commands(table, config);
  add_perf_commands(table, counters);
  // Ceph's form; its value belongs to a word that is not ours.
  table.add(
      "heap name=heapcmd,type=CephChoices,strings=stats|release "
      "name=value,type=CephString,req=false",
      "what the memory allocator holds, or give back what of it is free",
      sync<Caller>([&config](Caller&, const Args& a) { return heap(config, a); }));
  table.add("log flush", "write out what the log still buffers",
            sync<Caller>([](Caller&, const Args& a) {
              log::flush();
              return CommandReply::json(json::object(), a.format());
            }));
}

}  // namespace plimsoll::daemon
