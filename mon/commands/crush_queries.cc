// SPDX-License-Identifier: LGPL-2.1-or-later
// Questions about the CRUSH map.
#include <fmt/format.h>

#include "common/map/crush_dump.h"
#include "common/map/osd_map_dump.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

const map::CrushMap& crush_of(const CommandContext& c) {
  return *c.services.osd.map().crush;
}

CommandReply names(const Args& a, const std::vector<std::string>& list) {
  json::array out;
  std::string plain;
  for (const std::string& name : list) {
    out.push_back(json::value(name));
    plain += name + "\n";
  }
  return answer(a, out, std::move(plain));
}

CommandReply dump(CommandContext& c, const Args& a) {
  return answer_json(a, map::dump_crush(crush_of(c)));
}

CommandReply tree(CommandContext& c, const Args& a) {
  const bool shadow = a.opt_str("shadow") == "--show-shadow";
  const map::OSDMap& m = c.services.osd.map();
  return answer(a, map::dump_crush_tree(m, shadow), map::print_crush_tree(m, shadow));
}

CommandReply ls(CommandContext& c, const Args& a) {
  const map::CrushMap& crush = crush_of(c);
  const auto item = crush.find_item(a.str("node"));
  if (!item) return {-ENOENT, "node '" + a.str("node") + "' does not exist"};
  std::vector<std::string> children;
  if (const map::CrushBucket* bucket = crush.bucket(*item))
    for (map::CrushItem child : bucket->items) children.push_back(crush.item_name(child));
  else
    children.push_back(a.str("node"));
  return names(a, children);
}

// ---- rules
// ----------------------------------------------------------------------------------------

CommandReply rule_ls(CommandContext& c, const Args& a) {
  std::vector<std::string> list;
  for (const auto& [_, name] : crush_of(c).rule_names) list.push_back(name);
  return names(a, list);
}

CommandReply rule_ls_by_class(CommandContext& c, const Args& a) {
  const map::CrushMap& crush = crush_of(c);
  if (!crush.find_class(a.str("class")))
    return {-ENOENT, "failed to get rules by class '" + a.str("class") + "'"};
  std::vector<std::string> list;
  for (const auto& [id, name] : crush.rule_names) {
    bool takes_class = false;
    for (map::CrushItem root : crush.roots_of_rule(id))
      takes_class |= crush.is_shadow(root) && crush.class_of(root) == a.str("class");
    if (takes_class) list.push_back(name);
  }
  return names(a, list);
}

CommandReply rule_dump(CommandContext& c, const Args& a) {
  const auto name = a.opt_str("name");
  if (!name || name->empty()) return answer_json(a, map::dump_crush_rules(crush_of(c)));
  const auto id = crush_of(c).find_rule(*name);
  if (!id) return {-ENOENT, "unknown crush rule '" + *name + "'"};
  return answer_json(a, map::dump_crush_rule(crush_of(c), *id));
}

// ---- classes
// --------------------------------------------------------------------------------------

CommandReply class_ls(CommandContext& c, const Args& a) {
  json::array list;
  for (const auto& [_, name] : crush_of(c).class_names) list.push_back(json::value(name));
  return answer_json(a, list);
}

CommandReply class_ls_osd(CommandContext& c, const Args& a) {
  json::array list;
  std::string plain;
  for (OsdId osd : c.services.osd.map().osds()) {
    if (crush_of(c).class_of(osd) != a.str("class")) continue;
    list.push_back(osd);
    plain += std::to_string(osd) + "\n";
  }
  return answer(a, list, std::move(plain));
}

CommandReply get_device_class(CommandContext& c, const Args& a) {
  const Result<std::vector<OsdId>> osds = parse_osds(c.services.osd.map(), a.strings("ids"));
  if (!osds) return CommandReply(osds.error());
  json::array list;
  std::string plain;
  for (OsdId osd : *osds) {
    if (const Result<> known = check_osd(c.services.osd.map(), osd); !known)
      return CommandReply(known.error());
    const std::string name = crush_of(c).class_of(osd);
    list.push_back(json::object{{"osd", osd}, {"device_class", name}});
    plain += name + "\n";
  }
  return answer(a, list, std::move(plain));
}

// ---- tunables and weight sets
// ---------------------------------------------------------------------

CommandReply show_tunables(CommandContext& c, const Args& a) {
  return answer_json(a, map::dump_crush_tunables(crush_of(c)));
}

CommandReply get_tunable(CommandContext& c, const Args& a) {
  const int value = crush_of(c).tunables.straw_calc_version;
  return answer(a, json::object{{"straw_calc_version", value}}, std::to_string(value) + "\n");
}

std::string set_name(const CommandContext& c, int64_t key) {
  return key == map::kDefaultChooseArgs ? "(compat)" : c.services.osd.map().pool_name(key);
}

CommandReply weight_set_ls(CommandContext& c, const Args& a) {
  std::vector<std::string> list;
  for (const auto& [key, _] : crush_of(c).choose_args) list.push_back(set_name(c, key));
  return names(a, list);
}

CommandReply weight_set_dump(CommandContext& c, const Args& a) {
  return answer_json(a, map::dump_choose_args(crush_of(c)));
}

const CommandRow kRows[] = {
    {"osd crush dump", "print the CRUSH map", "osd", "r", 0, query(dump)},
    {"osd crush tree name=shadow,type=CephChoices,strings=--show-shadow,req=false",
     "print buckets and devices", "osd", "r", 0, query(tree)},
    {"osd crush ls name=node,type=CephString,goodchars=[A-Za-z0-9-_.]", "list what is in a bucket",
     "osd", "r", 0, query(ls)},
    {"osd crush rule list", "list rules", "osd", "r", command::kFlagDeprecated, query(rule_ls)},
    {"osd crush rule ls", "list rules", "osd", "r", 0, query(rule_ls)},
    {"osd crush rule ls-by-class name=class,type=CephString,goodchars=[A-Za-z0-9-_.]",
     "list the rules that use a device class", "osd", "r", 0, query(rule_ls_by_class)},
    {"osd crush rule dump name=name,type=CephString,goodchars=[A-Za-z0-9-_.],req=false",
     "print one or all rules", "osd", "r", 0, query(rule_dump)},
    {"osd crush class ls", "list device classes", "osd", "r", 0, query(class_ls)},
    {"osd crush class ls-osd name=class,type=CephString,goodchars=[A-Za-z0-9-_]",
     "list the OSDs of a device class", "osd", "r", 0, query(class_ls_osd)},
    {"osd crush get-device-class name=ids,type=CephString,n=N", "print the classes of devices",
     "osd", "r", 0, query(get_device_class)},
    {"osd crush show-tunables", "print the tunables", "osd", "r", 0, query(show_tunables)},
    {"osd crush get-tunable name=tunable,type=CephChoices,strings=straw_calc_version",
     "print one tunable", "osd", "r", 0, query(get_tunable)},
    {"osd crush weight-set ls", "list weight sets", "osd", "r", 0, query(weight_set_ls)},
    {"osd crush weight-set dump", "print weight sets", "osd", "r", 0, query(weight_set_dump)},
};

}  // namespace

void add_crush_queries(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
