// SPDX-License-Identifier: LGPL-2.1-or-later
// The cluster log: read it, write to it.
#include <fmt/format.h>

#include <algorithm>

#include "common/map/osd_map_dump.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

constexpr int64_t kDefaultLines = 20;

/// "mon.0" of "mon.a"; others are known by their names.
std::string rank_name(const CommandContext& c, const std::string& name) {
  if (name.compare(0, 4, "mon.") != 0) return name;
  return fmt::format("mon.{}", c.services.monmap.rank_of(name.substr(4)));
}

CommandReply last(CommandContext& c, const Args& a) {
  const auto most = static_cast<size_t>(a.int_or("num", kDefaultLines));
  const uint8_t level = log_level_from(a.str_or("level", "info"));
  const std::string channel = a.str_or("channel", "cluster");
  std::vector<const msg::LogEntry*> found;
  const auto& entries = c.services.log.entries();
  for (auto it = entries.rbegin(); it != entries.rend() && found.size() < most; ++it)
    if (it->level >= level && (channel == "*" || it->channel == channel)) found.push_back(&*it);
  std::reverse(found.begin(), found.end());
  json::array out;
  std::string plain;
  for (const msg::LogEntry* e : found) {
    const std::string rank = rank_name(c, e->name);
    json::object o{{"name", e->name}, {"rank", rank}};
    o["addrs"] = map::dump_addrvec(EntityAddrVec(e->addr));
    o["stamp"] = e->stamp.to_string();
    o["seq"] = e->seq;
    o["channel"] = e->channel;
    o["priority"] = log_level_tag(e->level);
    o["message"] = e->text;
    out.push_back(std::move(o));
    plain += log_line(*e, rank) + "\n";
  }
  return answer(a, out, std::move(plain));
}

CommandReply write(CommandContext& c, const Args& a) {
  msg::LogEntry e;
  e.stamp = c.services.runtime.clock().wall();
  e.name = c.entity;
  e.addr = c.addr;
  e.text = join(a.strings("logtext"), " ");
  c.services.log.add(std::move(e));
  return {};
}

const CommandRow kRows[] = {
    {"log last name=num,type=CephInt,range=1,req=false "
     "name=level,type=CephChoices,strings=debug|info|sec|warn|error,req=false "
     "name=channel,type=CephChoices,strings=*|cluster|audit|cephadm,req=false",
     "print the last lines of the cluster log", "mon", "r", 0, query(last)},
    {"log name=logtext,type=CephString,n=N", "write a line to the cluster log", "mon", "rw", 0,
     query(write)},
};

}  // namespace

void add_log_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
