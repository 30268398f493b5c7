// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes of the CRUSH map: buckets and devices, classes, rules, tunables, weight sets, whole maps.
#include <fmt/format.h>

#include <algorithm>

#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using Text = Result<std::string>;
using map::CrushMap;

std::string location_text(const map::CrushLocation& location) {
  std::string text;
  for (const auto& [type, name] : location) text += (text.empty() ? "" : ",") + type + "=" + name;
  return "{" + text + "}";
}

Result<map::CrushLocation> location_of(const Args& a) {
  TRY(location, map::parse_crush_location(a.strings("args")));
  if (location.empty()) return fail(EINVAL, "a location such as host=name root=default is needed");
  return location;
}

// ---- buckets and devices
// --------------------------------------------------------------------------

Text add_bucket(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name"), type = a.str("type");
  if (crush.find_item(name)) return "bucket '" + name + "' already exists";
  if (!crush.find_type(type)) return fail(EINVAL, "type '" + type + "' does not exist");
  if (type == crush.type_name(0))
    return fail(EINVAL, "type '" + type + "' is for devices, not buckets");
  TRY(id, crush.add_bucket(name, type));
  static_cast<void>(id);
  const std::vector<std::string> words = a.strings("args");
  if (words.empty()) return "added bucket " + name + " type " + type + " to crush map";
  TRY(location, location_of(a));
  TRY_VOID(crush.move(name, location));
  return "added bucket " + name + " type " + type + " to location " + location_text(location);
}

Text rename_bucket(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string from = a.str("srcname"), to = a.str("dstname");
  if (!crush.find_item(from) && crush.find_item(to)) return "already renamed to '" + to + "'";
  TRY_VOID(crush.rename_bucket(from, to));
  return "renamed bucket " + from + " into " + to;
}

Text place_device(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  const OsdId osd = a.osd("id");
  TRY_VOID(check_osd(d.now, osd));
  const std::string name = fmt::format("osd.{}", osd);
  TRY(location, location_of(a));
  const double weight = a.real("weight");
  const bool is_or_move = a.prefix() == "osd crush create-or-move";
  if (is_or_move) {
    TRY(changed, crush.create_or_move(osd, name, weight, location));
    static_cast<void>(changed);
    return fmt::format(
        "create-or-move updating item name '{}' weight {} at location {} to crush map", name,
        command::general(weight), location_text(location));
  }
  const bool is_add = a.prefix() == "osd crush add";
  if (!is_add && !crush.find_item(name))
    return fail(
        ENOENT,
        fmt::format("unable to set item id {} name '{}' weight {} at location {}: does not exist",
                    osd, name, command::general(weight), location_text(location)));
  TRY(changed, crush.set_device(osd, name, weight, location));
  static_cast<void>(changed);
  return fmt::format("{} item id {} name '{}' weight {} at location {} to crush map",
                     is_add ? "add" : "set", osd, name, command::general(weight),
                     location_text(location));
}

Result<map::CrushItem> existing_item(const CrushMap& crush, const std::string& name) {
  const auto item = crush.find_item(name);
  if (item) return *item;
  return fail(ENOENT, "item " + name + " does not exist");
}

Text move_item(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name");
  TRY(item, existing_item(crush, name));
  TRY(location, location_of(a));
  if (crush.is_at(item, location))
    return fmt::format("no need to move item id {} name '{}' to location {} in crush map", item,
                       name, location_text(location));
  TRY(moved, crush.move(name, location));
  static_cast<void>(moved);
  return fmt::format("moved item id {} name '{}' to location {} in crush map", item, name,
                     location_text(location));
}

Text link_item(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name");
  TRY(item, existing_item(crush, name));
  TRY(location, location_of(a));
  TRY(linked, crush.link(name, location));
  return fmt::format("{} item id {} name '{}' to location {} in crush map",
                     linked ? "linked" : "no need to link", item, name, location_text(location));
}

Text swap_bucket(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string from = a.str("source"), to = a.str("dest");
  TRY(one, existing_item(crush, from));
  TRY(two, existing_item(crush, to));
  static_cast<void>(two);
  if (crush.parent_of(one) && !a.flag("yes_i_really_mean_it"))
    return fail(EPERM,
                "a bucket that is linked into a tree is swapped only with --yes-i-really-mean-it");
  TRY_VOID(crush.swap_buckets(from, to));
  return "swapped bucket of " + from + " to " + to;
}

Text remove_item(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name");
  const auto item = crush.find_item(name);
  if (!item) return "device '" + name + "' does not appear in the crush map";
  const auto ancestor = a.opt_str("ancestor");
  if (ancestor && !crush.find_item(*ancestor))
    return fail(ENOENT, "ancestor item '" + *ancestor + "' does not appear in the crush map");
  const Result<> removed = crush.remove(name, ancestor, a.prefix() == "osd crush unlink");
  if (!removed && removed.error().code() == ENOTEMPTY)
    return fail(ENOTEMPTY, "(39) Directory not empty");
  TRY_VOID(removed);
  return fmt::format("removed item id {} name '{}' from crush map", *item, name);
}

Text reweight(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name");
  const auto item = crush.find_item(name);
  if (!item) return fail(ENOENT, "device '" + name + "' does not appear in the crush map");
  if (*item < 0) return fail(EINVAL, "device '" + name + "' is not a leaf in the crush map");
  TRY_VOID(crush.reweight(name, a.real("weight")));
  return fmt::format("reweighted item id {} name '{}' to {} in crush map", *item, name,
                     command::general(a.real("weight")));
}

Text reweight_subtree(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("name");
  const auto item = crush.find_item(name);
  if (!item) return fail(ENOENT, "device '" + name + "' does not appear in the crush map");
  if (*item >= 0) return fail(EINVAL, "device '" + name + "' is a leaf in the crush map");
  TRY(count, crush.reweight_subtree(name, a.real("weight")));
  static_cast<void>(count);
  return fmt::format("reweighted subtree id {} name '{}' to {} in crush map", *item, name,
                     command::general(a.real("weight")));
}

Text reweight_all(CommandContext&, const Args&, OsdDraft&, CrushMap& crush) {
  crush.reweight_all();
  return "reweighted crush hierarchy";
}

// ---- classes
// --------------------------------------------------------------------------------------

std::string id_list(const std::vector<OsdId>& osds) {
  std::string text;
  for (OsdId osd : osds) text += (text.empty() ? "" : ",") + std::to_string(osd);
  return text;
}

Text set_class(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  const std::string name = a.str("class");
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::vector<OsdId> done;
  for (OsdId osd : osds) {
    TRY_VOID(check_osd(d.now, osd));
    const std::string old = crush.class_of(osd);
    if (!old.empty() && old != name)
      return fail(
          EBUSY,
          fmt::format("osd.{} has already bound to class '{}', can not reset class to '{}'; use "
                      "'ceph osd crush rm-device-class <id>' to remove old class first",
                      osd, old, name));
    TRY(changed, crush.set_device_class(osd, name));
    static_cast<void>(changed);
    done.push_back(osd);
  }
  return fmt::format("set osd(s) {} to class '{}'", id_list(done), name);
}

Text rm_class_of_devices(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::vector<OsdId> done, none;
  for (OsdId osd : osds) {
    TRY_VOID(check_osd(d.now, osd));
    TRY(removed, crush.remove_device_class(osd));
    (removed ? done : none).push_back(osd);
  }
  if (done.empty()) return fmt::format("osd(s) {} have no class", id_list(none));
  return "done removing class of osd(s): " + id_list(done);
}

Text create_class(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("class");
  if (crush.find_class(name)) return "class '" + name + "' already exists";
  TRY_VOID(crush.create_class(name));
  return fmt::format("created class {} with id {} to crush map", name, *crush.find_class(name));
}

Text rm_class(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string name = a.str("class");
  const auto id = crush.find_class(name);
  if (!id) return "class '" + name + "' does not exist";
  if (crush.class_in_use(*id)) return fail(EBUSY, "class '" + name + "' is in use");
  TRY_VOID(crush.remove_class(name));
  return fmt::format("removed class {} with id {} from crush map", name, *id);
}

Text rename_class(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string from = a.str("srcname"), to = a.str("dstname");
  if (!crush.find_class(from) && crush.find_class(to)) return "already renamed to '" + to + "'";
  TRY_VOID(crush.rename_class(from, to));
  return "rename class '" + from + "' to '" + to + "'";
}

// ---- rules
// ----------------------------------------------------------------------------------------

Text create_rule_of(CrushMap& crush, const std::string& name, const std::string& root,
                    const std::string& type, const std::string& device_class,
                    const std::string& mode) {
  if (crush.find_rule(name)) return "rule " + name + " already exists";
  if (!crush.find_item(root)) return fail(ENOENT, "root item " + root + " does not exist");
  if (!crush.find_type(type)) return fail(EINVAL, "unknown type " + type);
  if (!device_class.empty() && !crush.find_class(device_class))
    return fail(EINVAL, "device class " + device_class + " does not exist");
  TRY(id, crush.add_simple_rule(name, root, type, device_class, mode, map::kRuleReplicated));
  static_cast<void>(id);
  return "";
}

Text create_replicated(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  return create_rule_of(crush, a.str("name"), a.str("root"), a.str("type"), a.str_or("class", ""),
                        "firstn");
}

Text create_simple(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  return create_rule_of(crush, a.str("name"), a.str("root"), a.str("type"), "",
                        a.str_or("mode", "firstn"));
}

Text create_erasure(CommandContext&, const Args&, OsdDraft&, CrushMap&) {
  return fail(EOPNOTSUPP, "erasure coded pools are not supported");
}

Text rm_rule(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  const std::string name = a.str("name");
  const auto id = crush.find_rule(name);
  if (!id) return "rule " + name + " does not exist";
  for (const auto& [_, pool] : d.now.pools)
    if (pool.crush_rule == *id)
      return fail(EBUSY, fmt::format("crush ruleset {} {} is in use", name, *id));
  TRY_VOID(crush.remove_rule(name));
  return "";
}

Text rename_rule(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const std::string from = a.str("srcname"), to = a.str("dstname");
  if (!crush.find_rule(from) && crush.find_rule(to)) return "already renamed to '" + to + "'";
  TRY_VOID(crush.rename_rule(from, to));
  return "";
}

// ---- tunables and weight sets
// ---------------------------------------------------------------------

Text set_profile(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  TRY(tunables, map::CrushTunables::profile(a.str("profile")));
  crush.tunables = tunables;
  return "adjusted tunables profile to " + a.str("profile");
}

Text set_tunable(CommandContext&, const Args& a, OsdDraft&, CrushMap& crush) {
  const int64_t value = a.integer("value");
  if (value < 0 || value > 2)
    return fail(EINVAL, "value must be 0 or 1; got " + std::to_string(value));
  crush.tunables.straw_calc_version = static_cast<uint8_t>(value);
  return fmt::format("adjusted tunable {} to {}", a.str("tunable"), value);
}

Text all_straw2(CommandContext&, const Args&, OsdDraft&, CrushMap& crush) {
  for (auto& bucket : crush.buckets)
    if (bucket && bucket->alg == map::BucketAlg::kStraw) {
      bucket->alg = map::BucketAlg::kStraw2;
      bucket->aux.clear();
    }
  return "";
}

Text create_compat_set(CommandContext&, const Args&, OsdDraft&, CrushMap& crush) {
  if (crush.choose_args.count(map::kDefaultChooseArgs)) return "compat weight-set already created";
  TRY_VOID(crush.create_choose_args(map::kDefaultChooseArgs, 1));
  return "";
}

Text create_pool_set(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  TRY(pool, find_pool(d.now, a.str("pool")));
  if (crush.choose_args.count(pool))
    return "weight-set for pool '" + a.str("pool") + "' already created";
  TRY_VOID(crush.create_choose_args(pool, a.str("mode") == "flat" ? 1 : d.now.pool(pool)->size));
  return "";
}

Text rm_compat_set(CommandContext&, const Args&, OsdDraft&, CrushMap& crush) {
  crush.remove_choose_args(map::kDefaultChooseArgs);
  return "";
}

Text rm_pool_set(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  TRY(pool, find_pool(d.now, a.str("pool")));
  crush.remove_choose_args(pool);
  return "";
}

Text reweight_set(CommandContext&, const Args& a, OsdDraft& d, CrushMap& crush) {
  int64_t key = map::kDefaultChooseArgs;
  if (a.prefix() == "osd crush weight-set reweight") {
    TRY(pool, find_pool(d.now, a.str("pool")));
    key = pool;
  }
  if (!crush.choose_args.count(key)) return fail(ENOENT, "no such weight-set");
  std::vector<double> weights;
  for (const std::string& word : texts(a, "weight")) {
    TRY(weight, command::parse_real(word));
    weights.push_back(weight);
  }
  TRY_VOID(crush.set_choose_args_weight(key, a.str("item"), weights));
  return "";
}

// ---- whole maps
// -----------------------------------------------------------------------------------

Result<> check_replacement(const OsdDraft& d, const CrushMap& crush) {
  TRY_VOID(crush.validate());
  for (const auto& [id, pool] : d.now.pools)
    if (!crush.rule(pool.crush_rule))
      return fail(EINVAL, fmt::format("pool {} uses rule {}, which the new map lacks", id,
                                      pool.crush_rule));
  if (crush.max_devices > d.now.max_osd) {
    for (map::CrushItem root : crush.roots(true))
      for (OsdId osd : crush.devices_under(root))
        if (osd >= d.now.max_osd)
          return fail(EINVAL, fmt::format("the map has a device osd.{}, beyond max_osd {}", osd,
                                          d.now.max_osd));
  }
  return {};
}

Text set_map(CommandContext&, const Args& a, OsdDraft& d) {
  if (const auto prior = a.opt_int("prior_version"); prior && *prior != d.now.crush_version) {
    if (*prior == int64_t{d.now.crush_version} - 1 && d.now.crush.blob() == a.input())
      return std::to_string(d.now.crush_version);
    return fail(EPERM,
                fmt::format("prior_version {} != crush version {}", *prior, d.now.crush_version));
  }
  Result<map::SharedCrush> shared = map::SharedCrush::from_blob(a.input());
  if (!shared) return fail(EINVAL, "Failed to parse crushmap: " + shared.error().text());
  TRY_VOID(check_replacement(d, **shared));
  d.inc.set_crush(**shared);
  return std::to_string(d.now.crush_version + 1);
}

const CommandRow kRows[] = {
    {"osd crush add-bucket name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=type,type=CephString "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=],req=false",
     "add an empty bucket, at a location if one is given", "osd", "rw", 0, crush_edits(add_bucket)},
    {"osd crush rename-bucket name=srcname,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=dstname,type=CephString,goodchars=[A-Za-z0-9-_.]",
     "rename a bucket", "osd", "rw", 0, crush_edits(rename_bucket)},
    {"osd crush set name=prior_version,type=CephInt,req=false",
     "replace the CRUSH map by the input", "osd", "rw", 0, edits(set_map)},
    {"osd crush set name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0 "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=]",
     "set a device's weight and location", "osd", "rw", 0, crush_edits(place_device)},
    {"osd crush add name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0 "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=]",
     "add a device, or set its weight and location", "osd", "rw", 0, crush_edits(place_device)},
    {"osd crush create-or-move name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0 "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=]",
     "add a device, or move it with the weight it has", "osd", "rw", 0, crush_edits(place_device)},
    {"osd crush move name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=]",
     "move a bucket or device", "osd", "rw", 0, crush_edits(move_item)},
    {"osd crush swap-bucket name=source,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=dest,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "exchange the contents of two buckets", "osd", "rw", 0, crush_edits(swap_bucket)},
    {"osd crush link name=name,type=CephString "
     "name=args,type=CephString,n=N,goodchars=[A-Za-z0-9-_.=]",
     "give a bucket one more place", "osd", "rw", 0, crush_edits(link_item)},
    {"osd crush rm name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=ancestor,type=CephString,req=false,goodchars=[A-Za-z0-9-_.]",
     "remove an item, everywhere or below one bucket", "osd", "rw", 0, crush_edits(remove_item)},
    {"osd crush remove name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=ancestor,type=CephString,req=false,goodchars=[A-Za-z0-9-_.]",
     "remove an item, everywhere or below one bucket", "osd", "rw", command::kFlagDeprecated,
     crush_edits(remove_item)},
    {"osd crush unlink name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=ancestor,type=CephString,req=false,goodchars=[A-Za-z0-9-_.]",
     "take an item out of its bucket but keep it", "osd", "rw", 0, crush_edits(remove_item)},
    {"osd crush reweight-all", "sum up all weights again", "osd", "rw", 0,
     crush_edits(reweight_all)},
    {"osd crush reweight name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=weight,type=CephFloat,range=0.0",
     "set a device's weight", "osd", "rw", 0, crush_edits(reweight)},
    {"osd crush reweight-subtree name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=weight,type=CephFloat,range=0.0",
     "set the weight of all devices below a bucket", "osd", "rw", 0, crush_edits(reweight_subtree)},
    {"osd crush set-device-class name=class,type=CephString name=ids,type=CephString,n=N",
     "set the class of devices", "osd", "rw", 0, crush_edits(set_class)},
    {"osd crush rm-device-class name=ids,type=CephString,n=N", "take the class off devices", "osd",
     "rw", 0, crush_edits(rm_class_of_devices)},
    {"osd crush class create name=class,type=CephString,goodchars=[A-Za-z0-9-_]",
     "make a device class", "osd", "rw", 0, crush_edits(create_class)},
    {"osd crush class rm name=class,type=CephString,goodchars=[A-Za-z0-9-_]",
     "remove a device class", "osd", "rw", 0, crush_edits(rm_class)},
    {"osd crush class rename name=srcname,type=CephString,goodchars=[A-Za-z0-9-_] "
     "name=dstname,type=CephString,goodchars=[A-Za-z0-9-_]",
     "rename a device class", "osd", "rw", 0, crush_edits(rename_class)},
    {"osd crush rule create-replicated name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=root,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=type,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=class,type=CephString,goodchars=[A-Za-z0-9-_.],req=false",
     "make a rule that spreads replicas below a root over buckets of a type", "osd", "rw", 0,
     crush_edits(create_replicated)},
    {"osd crush rule create-simple name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=root,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=type,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=mode,type=CephChoices,strings=firstn|indep,req=false",
     "make a rule that spreads replicas below a root over buckets of a type", "osd", "rw", 0,
     crush_edits(create_simple)},
    {"osd crush rule create-erasure name=name,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=profile,type=CephString,req=false,goodchars=[A-Za-z0-9-_.=]",
     "make a rule for an erasure coded pool", "osd", "rw", 0, crush_edits(create_erasure)},
    {"osd crush rule rm name=name,type=CephString,goodchars=[A-Za-z0-9-_.]", "remove a rule", "osd",
     "rw", 0, crush_edits(rm_rule)},
    {"osd crush rule rename name=srcname,type=CephString,goodchars=[A-Za-z0-9-_.] "
     "name=dstname,type=CephString,goodchars=[A-Za-z0-9-_.]",
     "rename a rule", "osd", "rw", 0, crush_edits(rename_rule)},
    {"osd crush tunables "
     "name=profile,type=CephChoices,strings=legacy|argonaut|bobtail|firefly|hammer|jewel|"
     "optimal|default",
     "set all tunables to a release's", "osd", "rw", 0, crush_edits(set_profile)},
    {"osd crush set-tunable name=tunable,type=CephChoices,strings=straw_calc_version "
     "name=value,type=CephInt",
     "set one tunable", "osd", "rw", 0, crush_edits(set_tunable)},
    {"osd crush set-all-straw-buckets-to-straw2", "turn straw buckets into straw2", "osd", "rw", 0,
     crush_edits(all_straw2)},
    {"osd crush weight-set create-compat", "make the weight set that all pools use", "osd", "rw", 0,
     crush_edits(create_compat_set)},
    {"osd crush weight-set create name=pool,type=CephPoolname "
     "name=mode,type=CephChoices,strings=flat|positional",
     "make a weight set for a pool", "osd", "rw", 0, crush_edits(create_pool_set)},
    {"osd crush weight-set rm name=pool,type=CephPoolname", "remove a pool's weight set", "osd",
     "rw", 0, crush_edits(rm_pool_set)},
    {"osd crush weight-set rm-compat", "remove the weight set that all pools use", "osd", "rw", 0,
     crush_edits(rm_compat_set)},
    {"osd crush weight-set reweight name=pool,type=CephPoolname name=item,type=CephString "
     "name=weight,type=CephFloat,range=0.0,n=N",
     "set an item's weights in a pool's weight set", "osd", "rw", 0, crush_edits(reweight_set)},
    {"osd crush weight-set reweight-compat name=item,type=CephString "
     "name=weight,type=CephFloat,range=0.0,n=N",
     "set an item's weight in the weight set that all pools use", "osd", "rw", 0,
     crush_edits(reweight_set)},
    {"osd setcrushmap name=prior_version,type=CephInt,req=false",
     "replace the CRUSH map by the input", "osd", "rw", 0, edits(set_map)},
};

}  // namespace

void add_crush_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
