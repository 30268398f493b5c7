// SPDX-License-Identifier: LGPL-2.1-or-later
// The configuration database and the config-key store.
#include <fmt/format.h>

#include <algorithm>

#include "common/base/text_table.h"
#include "common/config/conf_file.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using Entry = ConfigService::Entry;

CommandReply reply_of(const Result<>& done, std::string text = {}) {
  return done ? said(std::move(text)) : CommandReply(done.error());
}

// ---- changes
// --------------------------------------------------------------------------------------

Task<CommandReply> set(CommandContext& c, const Args& a) {
  const std::string who = a.str("who"), name = a.str("name"), value = a.str("value");
  const Result<> known = ConfigService::check(name, value, a.flag("force"));
  if (!known) co_return CommandReply(known.error());
  const Result<> target = ConfigService::check_section(who);
  if (!target) co_return CommandReply(target.error());
  co_return reply_of(co_await c.services.settings.set(who, name, value));
}

Task<CommandReply> rm(CommandContext& c, const Args& a) {
  const Result<> target = ConfigService::check_section(a.str("who"));
  if (!target) co_return CommandReply(target.error());
  co_return reply_of(co_await c.services.settings.remove(a.str("who"), a.str("name")));
}

Task<CommandReply> reset(CommandContext& c, const Args& a) {
  co_return reply_of(co_await c.services.settings.reset(static_cast<uint64_t>(a.integer("num"))));
}

/// What a daemon needs to find the cluster stays in its file.
bool stays_in_file(const std::string& name) {
  static constexpr std::string_view kNames[] = {
      "mon_host", "fsid",     "keyring",      "host",    "public_addr",
      "mon_data", "osd_data", "admin_socket", "run_dir", "pid_file"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

Task<CommandReply> assimilate(CommandContext& c, const Args& a) {
  const Result<config::ConfFile> file = config::ConfFile::parse("input", a.input().view());
  if (!file) co_return CommandReply(file.error());
  std::vector<Entry> taken;
  std::string left;
  std::string left_section;
  for (const config::ConfLine& line : file->lines) {
    const bool fits = !stays_in_file(line.key) &&
                      ConfigService::check(line.key, line.value, false) &&
                      ConfigService::check_section(line.section);
    if (fits) {
      taken.push_back({line.section, line.key, line.value});
      continue;
    }
    if (line.section != left_section) left += "\n[" + line.section + "]\n";
    left_section = line.section;
    left += "\t" + line.key + " = " + line.value + "\n";
  }
  const Result<> done = co_await c.services.settings.set_many(std::move(taken), "assimilate-conf");
  if (!done) co_return CommandReply(done.error());
  co_return CommandReply::text(std::move(left));
}

// ---- questions
// ------------------------------------------------------------------------------------

const char* level_of(const std::string& name) {
  const config::Option* o = config::find_option(name);
  return o ? config::level_name(o->level) : "unknown";
}

bool is_runtime(const std::string& name) {
  const config::Option* o = config::find_option(name);
  return !o || o->runtime;
}

TextTable settings_table() {
  TextTable t;
  for (const char* name : {"WHO", "MASK", "LEVEL", "OPTION", "VALUE", "RO"})
    t.column(name, Align::kLeft, Align::kLeft);
  return t;
}

void add_row(TextTable& t, const std::string& who, const Entry& e) {
  t.row({who, "", level_of(e.name), e.name, e.value, is_runtime(e.name) ? "" : "*"});
}

CommandReply dump(CommandContext& c, const Args& a) {
  json::array list;
  TextTable table = settings_table();
  for (const Entry& e : c.services.settings.entries()) {
    list.push_back(json::object{{"section", e.section},
                                {"name", e.name},
                                {"value", e.value},
                                {"level", level_of(e.name)},
                                {"can_update_at_runtime", is_runtime(e.name)},
                                {"mask", ""}});
    const size_t depth = e.section == "global"                      ? 0
                         : e.section.find('.') == std::string::npos ? 2
                                                                    : 4;
    add_row(table, std::string(depth, ' ') + e.section, e);
  }
  return answer(a, list, table.to_string());
}

/// The value that `entity` has for an option: from the database, else the default.
Result<std::string> value_for(const CommandContext& c, const std::string& entity,
                              const std::string& name) {
  const config::Option* option = config::find_option(name);
  const std::string normal = config::normal_name(name);
  const auto effective = c.services.settings.effective(entity);
  const auto set = effective.find(normal);
  if (!option && set == effective.end()) return fail(ENOENT, "unrecognized key '" + name + "'");
  if (!option) return set->second.value;
  TRY(value,
      config::parse_value(*option, set == effective.end() ? option->fallback : set->second.value));
  return config::value_text(*option, value);
}

CommandReply get(CommandContext& c, const Args& a) {
  const std::string who = a.str("who");
  if (const Result<> target = ConfigService::check_section(who); !target)
    return CommandReply(target.error());
  if (const auto key = a.opt_str("key")) {
    const Result<std::string> value = value_for(c, who, *key);
    if (!value) return CommandReply(value.error());
    return CommandReply::text(*value + "\n");
  }
  json::object all;
  TextTable table = settings_table();
  for (const auto& [name, e] : c.services.settings.effective(who)) {
    all[name] = json::object{{"value", e.value},
                             {"section", e.section},
                             {"mask", json::object()},
                             {"can_update_at_runtime", is_runtime(name)}};
    add_row(table, e.section, e);
  }
  return answer(a, all, table.to_string());
}

CommandReply ls(CommandContext&, const Args& a) {
  json::array names;
  std::string plain;
  for (const config::Option& o : config::options()) {
    names.push_back(json::value(o.name));
    plain += std::string(o.name) + "\n";
  }
  return answer(a, names, std::move(plain));
}

CommandReply help(CommandContext& c, const Args& a) {
  const config::Option* o = config::find_option(a.str("key"));
  if (!o) return {-ENOENT, ""};
  const Result<json::object> described = c.services.config.help(o->name);
  if (!described) return CommandReply(described.error());
  std::string plain = fmt::format("{} - {}\n  ({}, {})\n", o->name, o->help,
                                  config::type_name(o->type), config::level_name(o->level));
  plain += fmt::format("  Default: {}\n", o->fallback);
  if (*o->min) plain += fmt::format("  Minimum: {}\n", o->min);
  if (*o->max) plain += fmt::format("  Maximum: {}\n", o->max);
  plain += fmt::format("  Can update at runtime: {}\n", o->runtime);
  return answer(a, described->at("option"), std::move(plain));
}

CommandReply log(CommandContext& c, const Args& a) {
  constexpr int64_t kDefault = 10;
  json::array list;
  std::string plain;
  for (const auto& item : c.services.settings.history(
           static_cast<size_t>(std::max<int64_t>(0, a.int_or("num", kDefault))))) {
    const std::string stamp = item.stamp.is_zero() ? "0.000000" : item.stamp.to_string();
    plain += fmt::format("--- {} --- {} ---{}\n", item.version, stamp,
                         item.message.empty() ? "" : " " + item.message);
    json::array changes;
    for (const auto& d : item.changes) {
      const std::string path = d.section + "/" + d.name;
      json::object o{{"name", path}};
      if (d.before) {
        o["previous_value"] = *d.before;
        plain += "- " + path + " = " + *d.before + "\n";
      }
      if (d.after) {
        o["new_value"] = *d.after;
        plain += "+ " + path + " = " + *d.after + "\n";
      }
      changes.push_back(std::move(o));
    }
    list.push_back(json::object{{"version", item.version},
                                {"timestamp", stamp},
                                {"name", item.message},
                                {"changes", std::move(changes)}});
  }
  return answer(a, list, std::move(plain));
}

CommandReply minimal_conf(CommandContext& c, const Args&) {
  std::string hosts;
  for (const std::string& name : c.services.monmap.ranks) {
    const std::string addr = c.services.monmap.mons.at(name).public_addrs.to_string();
    hosts += (hosts.empty() ? "" : " ") + addr;
  }
  const std::string fsid = c.services.monmap.fsid.to_string();
  return CommandReply::text("# minimal ceph.conf for " + fsid + "\n[global]\n\tfsid = " + fsid +
                            "\n\tmon_host = " + hosts + "\n");
}

// ---- config show
// ----------------------------------------------------------------------------------

/// Is there such a daemon? Only then can it run with anything.
Result<> check_daemon(const CommandContext& c, const std::string& who) {
  const Error missing = fail(ENOENT, "no config state for daemon " + who);
  if (who.compare(0, 4, "mon.") == 0)
    return c.services.monmap.rank_of(who.substr(4)) < 0 ? Result<>(missing) : Result<>();
  if (who.compare(0, 4, "osd.") != 0) return missing;
  const Result<OsdId> osd = command::parse_osd_name(who);
  return osd && *osd >= 0 && c.services.osd.map().is_up(*osd) ? Result<>() : Result<>(missing);
}

/// What the daemon runs with as far as the monitor knows: the database over the defaults. What its
/// own file or command line adds, `ceph tell <who> config show` says.
CommandReply show_options(CommandContext& c, const Args& a, bool with_defaults) {
  const std::string who = a.str("who");
  if (const Result<> known = check_daemon(c, who); !known) return CommandReply(known.error());
  const auto effective = c.services.settings.effective(who);
  json::array list;
  TextTable table;
  for (const char* name : {"NAME", "VALUE", "SOURCE", "OVERRIDES", "IGNORES"})
    table.column(name, Align::kLeft, Align::kLeft);
  std::vector<std::string> names;
  for (const auto& [name, _] : effective) names.push_back(name);
  if (with_defaults)
    for (const config::Option& o : config::options())
      if (!effective.count(o.name)) names.push_back(o.name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const auto set = effective.find(name);
    const std::string source = set == effective.end() ? "default" : "mon";
    const Result<std::string> value = value_for(c, who, name);
    json::object o{{"name", name}, {"value", value ? *value : ""}, {"source", source}};
    std::string overrides;
    const config::Option* option = config::find_option(name);
    if (set != effective.end() && option) {
      overrides = "default[" + std::string(option->fallback) + "]";
      o["overrides"] =
          json::array{json::object{{"source", "default"}, {"value", option->fallback}}};
    }
    list.push_back(std::move(o));
    table.row({name, value ? *value : "", source, overrides, ""});
  }
  return answer(a, list, table.to_string());
}

CommandReply show(CommandContext& c, const Args& a) {
  const auto key = a.opt_str("key");
  if (!key) return show_options(c, a, false);
  if (const Result<> known = check_daemon(c, a.str("who")); !known)
    return CommandReply(known.error());
  const Result<std::string> value = value_for(c, a.str("who"), *key);
  if (!value) return {-ENOENT, ""};
  return CommandReply::text(*value + "\n");
}

CommandReply show_with_defaults(CommandContext& c, const Args& a) {
  return show_options(c, a, true);
}

// ---- config-key
// -----------------------------------------------------------------------------------

CommandReply key_get(CommandContext& c, const Args& a) {
  const std::string* value = c.services.keys.find(a.str("key"));
  return value ? CommandReply::text(*value) : CommandReply(-ENOENT, "");
}

CommandReply key_exists(CommandContext& c, const Args& a) {
  if (c.services.keys.find(a.str("key"))) return said("key '" + a.str("key") + "' exists");
  return {-ENOENT, "key '" + a.str("key") + "' doesn't exist"};
}

CommandReply key_ls(CommandContext& c, const Args& a) {
  json::array names;
  for (const auto& [key, _] : c.services.keys.all()) names.push_back(json::value(key));
  return answer_json(a, names);
}

CommandReply key_dump(CommandContext& c, const Args& a) {
  const std::string prefix = a.str_or("key", "");
  json::object all;
  for (const auto& [key, value] : c.services.keys.all()) {
    if (key.compare(0, prefix.size(), prefix) != 0) continue;
    const auto printable = [](char ch) {
      return static_cast<unsigned char>(ch) >= 0x20 || ch == '\n' || ch == '\t';
    };
    const bool is_text = std::all_of(value.begin(), value.end(), printable);
    all[key] = is_text ? value : fmt::format("<<< binary blob of length {} >>>", value.size());
  }
  return answer_json(a, all);
}

/// A list of one change; named, since a list in braces has no place in a co_await.
std::vector<KeyService::Change> one(std::string key, std::optional<std::string> value) {
  std::vector<KeyService::Change> changes;
  changes.emplace_back(std::move(key), std::move(value));
  return changes;
}

Task<CommandReply> key_set(CommandContext& c, const Args& a) {
  const std::string key = a.str("key");
  std::string value = a.has("val") ? a.str("val") : a.input().to_string();
  const uint64_t most = c.services.config.mon_config_key_max_entry_size();
  if (value.size() > most)
    co_return CommandReply(
        -EFBIG, fmt::format("error: entry size limited to {} bytes. Use 'mon config key max entry "
                            "size' to manually adjust",
                            most));
  co_return reply_of(co_await c.services.keys.change(one(key, std::move(value))), "set " + key);
}

Task<CommandReply> key_rm(CommandContext& c, const Args& a) {
  co_return reply_of(co_await c.services.keys.change(one(a.str("key"), std::nullopt)),
                     "key deleted");
}

const CommandRow kRows[] = {
    {"config set name=who,type=CephString name=name,type=CephString name=value,type=CephString "
     "name=force,type=CephBool,req=false",
     "set an option for daemons and clients", "config", "rw", 0, set},
    {"config rm name=who,type=CephString name=name,type=CephString", "remove a setting", "config",
     "rw", 0, rm},
    {"config get name=who,type=CephString name=key,type=CephString,req=False",
     "print the settings of a daemon or client, or one option", "config", "r", 0, query(get)},
    {"config dump", "print all settings", "mon", "r", 0, query(dump)},
    {"config help name=key,type=CephString", "explain an option", "config", "r", 0, query(help)},
    {"config ls", "list options", "config", "r", 0, query(ls)},
    {"config assimilate-conf", "take over the settings of a conf file from the input", "config",
     "rw", 0, assimilate},
    {"config log name=num,type=CephInt,req=False", "print the last changes of settings", "config",
     "r", 0, query(log)},
    {"config reset name=num,type=CephInt,range=0", "go back to the settings of an earlier version",
     "config", "rw", 0, reset},
    {"config generate-minimal-conf", "print a conf file that finds the cluster", "config", "r", 0,
     query(minimal_conf)},
    {"config show name=who,type=CephString name=key,type=CephString,req=False",
     "print what a running daemon was set to", "mgr", "r", 0, query(show)},
    {"config show-with-defaults name=who,type=CephString", "print all options of a running daemon",
     "mgr", "r", 0, query(show_with_defaults)},
    {"config-key get name=key,type=CephString", "print a value", "config-key", "r", 0,
     query(key_get)},
    {"config-key set name=key,type=CephString name=val,type=CephString,req=false",
     "set a value, from the input if none is given", "config-key", "rw", 0, key_set},
    {"config-key put name=key,type=CephString name=val,type=CephString,req=false",
     "set a value, from the input if none is given", "config-key", "rw", command::kFlagDeprecated,
     key_set},
    {"config-key rm name=key,type=CephString", "remove a value", "config-key", "rw", 0, key_rm},
    {"config-key del name=key,type=CephString", "remove a value", "config-key", "rw",
     command::kFlagDeprecated, key_rm},
    {"config-key exists name=key,type=CephString", "check whether a value is set", "config-key",
     "r", 0, query(key_exists)},
    {"config-key ls", "list keys", "config-key", "r", 0, query(key_ls)},
    {"config-key list", "list keys", "config-key", "r", command::kFlagDeprecated, query(key_ls)},
    {"config-key dump name=key,type=CephString,req=false",
     "print keys and values, all or those that begin so", "config-key", "r", 0, query(key_dump)},
};

}  // namespace

void add_config_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
