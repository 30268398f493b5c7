// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes of single OSDs: down, out, in, weights, and their registration and removal.
#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "mon/commands/osd_safety.h"
#include "mon/commands/support.h"

namespace plimsoll::mon {
namespace {

using Text = Result<std::string>;

Text down(CommandContext& c, const Args& a, OsdDraft& d) {
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::string text;
  for (OsdId osd : osds) {
    if (!d.now.exists(osd)) {
      text += fmt::format("osd.{} does not exist. ", osd);
    } else if (d.now.is_down(osd)) {
      text += fmt::format("osd.{} is already down. ", osd);
    } else {
      d.set_state(osd, 0, map::kOsdUp);
      map::OsdXinfo xinfo = d.now.osd_xinfo[osd];
      xinfo.down_stamp = c.services.runtime.clock().wall();
      if (a.prefix() == "osd down" && a.flag("definitely_dead")) xinfo.dead_epoch = d.inc.epoch;
      d.inc.new_xinfo[osd] = xinfo;
      d.inc.new_last_up_change = xinfo.down_stamp;
      d.urgent = true;
      text += fmt::format("marked down osd.{}. ", osd);
    }
  }
  return text;
}

Text out(CommandContext& c, const Args& a, OsdDraft& d) {
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::string text;
  for (OsdId osd : osds) {
    if (!d.now.exists(osd)) {
      text += fmt::format("osd.{} does not exist. ", osd);
    } else if (d.now.is_out(osd)) {
      text += fmt::format("osd.{} is already out. ", osd);
    } else {
      map::OsdXinfo xinfo = d.now.osd_xinfo[osd];
      xinfo.old_weight = d.now.weight(osd);
      d.inc.new_xinfo[osd] = xinfo;
      d.set_weight(osd, map::kOsdOut);
      d.inc.new_last_in_change = c.services.runtime.clock().wall();
      text += fmt::format("marked out osd.{}. ", osd);
    }
  }
  return text;
}

Text in(CommandContext& c, const Args& a, OsdDraft& d) {
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::string text;
  for (OsdId osd : osds) {
    if (!d.now.exists(osd)) {
      text += fmt::format("osd.{} does not exist. ", osd);
    } else if (d.now.is_in(osd)) {
      text += fmt::format("osd.{} is already in. ", osd);
    } else {
      map::OsdXinfo xinfo = d.now.osd_xinfo[osd];
      d.set_weight(osd, xinfo.old_weight ? xinfo.old_weight : map::kOsdIn);
      xinfo.old_weight = 0;
      d.inc.new_xinfo[osd] = xinfo;
      d.inc.new_last_in_change = c.services.runtime.clock().wall();
      text += fmt::format("marked in osd.{}. ", osd);
    }
  }
  return text;
}

Text reweight(CommandContext&, const Args& a, OsdDraft& d) {
  const OsdId osd = a.osd("id");
  TRY_VOID(check_osd(d.now, osd));
  const double w = a.real("weight");
  const auto weight = static_cast<uint32_t>(w * map::kOsdIn);
  d.set_weight(osd, weight);
  return fmt::format("reweighted osd.{} to {} ({:x})", osd, command::general(w), weight);
}

/// `osd reweightn '{"0": 32768}'`
Text reweight_many(CommandContext&, const Args& a, OsdDraft& d) {
  const Error bad = fail(EINVAL, "unable to parse 'weights' value '" + a.str("weights") + "'");
  boost::system::error_code ec;
  const json::value v = json::parse(a.str("weights"), ec);
  if (ec || !v.is_object()) return bad;
  for (const auto& [name, value] : v.get_object()) {
    TRY(osd, command::parse_osd_name(std::string_view(name.data(), name.size())));
    TRY_VOID(check_osd(d.now, osd));
    // Numbers and texts alike, of 0x10000.
    const std::string text =
        value.is_string() ? std::string(value.get_string()) : json::serialize(value);
    TRY(weight, command::parse_int(text));
    if (weight < 0 || weight > map::kOsdIn) return bad;
    d.set_weight(osd, static_cast<uint32_t>(weight));
  }
  return "";
}

Text primary_affinity(CommandContext&, const Args& a, OsdDraft& d) {
  const OsdId osd = a.osd("id");
  TRY_VOID(check_osd(d.now, osd));
  const double w = a.real("weight");
  const auto affinity = static_cast<uint32_t>(w * map::kDefaultAffinity);
  d.inc.new_primary_affinity[osd] = affinity;
  // Ceph means to print hexadecimal here but prints its stream flags (8 and 2) around the number.
  return fmt::format("set osd.{} primary-affinity to {} (8{}2)", osd, command::general(w),
                     affinity);
}

// ---- registration
// ---------------------------------------------------------------------------------

Result<OsdId> register_osd(const config::Config& config, OsdDraft& d, const Uuid& uuid,
                           std::optional<OsdId> wanted) {
  const OsdId known = uuid.is_zero() ? kNoOsd : d.now.find_osd(uuid);
  if (known != kNoOsd) {
    if (wanted && *wanted != known)
      return fail(EEXIST, fmt::format("uuid {} already in use for different id {}",
                                      uuid.to_string(), known));
    return known;
  }
  OsdId id = wanted.value_or(0);
  if (wanted && d.now.exists(id) && !d.now.has_state(id, map::kOsdDestroyed))
    return fail(EEXIST, fmt::format("osd.{} already exists and has another uuid", id));
  while (!wanted && d.now.exists(id)) id++;
  if (id >= config.mon_max_osd())
    return fail(ERANGE, fmt::format("osd.{} is beyond mon_max_osd ({})", id, config.mon_max_osd()));
  if (id >= d.now.max_osd) d.inc.new_max_osd = std::max(d.inc.new_max_osd, id + 1);
  // Of a destroyed OSD the id and its place stay, all else is new.
  d.set_state(id, map::kOsdExists | map::kOsdNew, map::kOsdDestroyed | map::kOsdUp);
  if (!uuid.is_zero()) d.inc.new_uuid[id] = uuid;
  return id;
}

Task<CommandReply> create(CommandContext& c, const Args& a) {
  Uuid uuid;
  if (const auto text = a.opt_str("uuid")) {
    const Result<Uuid> parsed = Uuid::parse(*text);
    if (!parsed) co_return CommandReply(parsed.error());
    uuid = *parsed;
  }
  std::optional<OsdId> wanted;
  if (a.has("id")) wanted = a.osd("id");
  if (wanted && *wanted < 0) co_return CommandReply(-EINVAL, "invalid osd id");
  OsdId id = kNoOsd;
  const OsdService::Edit edit = [&](OsdDraft& d) -> Result<> {
    TRY(registered, register_osd(c.services.config, d, uuid, wanted));
    id = registered;
    return {};
  };
  const Result<Epoch> committed = co_await c.services.osd.change(edit);
  if (!committed) co_return CommandReply(committed.error());
  co_return answer(a, json::object{{"osdid", id}}, std::to_string(id) + "\n");
}

// ---- removal
// --------------------------------------------------------------------------------------

Text rm(CommandContext& c, const Args& a, OsdDraft& d) {
  TRY(osds, parse_osds(d.now, a.strings("ids")));
  std::string text;
  for (OsdId osd : osds) {
    if (!d.now.exists(osd)) {
      text += fmt::format("osd.{} does not exist. ", osd);
      continue;
    }
    if (d.now.is_up(osd))
      return fail(EBUSY, fmt::format("osd.{} is still up; must be down before removal. ", osd));
    d.remove_osd(osd);
    c.services.membership.forget(osd, d);
    text += text.empty() ? fmt::format("removed osd.{}", osd) : fmt::format(", osd.{}", osd);
  }
  return text;
}

Result<> check_may_destroy(CommandContext& c, const Args& a, OsdId osd, bool asked_mgr) {
  if (asked_mgr && !a.flag("force")) {
    const DestroySafety s = destroy_safety(c.services, {osd});
    if (!s.all_safe())
      return fail(EBUSY, s.text() +
                             "\nYou can proceed by passing --force, but be warned that this will "
                             "likely mean real, permanent data loss.");
  }
  if (a.flag("yes_i_really_mean_it") || (asked_mgr && a.flag("force"))) return {};
  return fail(EPERM,
              "Are you SURE? this will mean real, permanent data loss, as well as cephx and "
              "lockbox keys. Pass --yes-i-really-mean-it if you really do.");
}

bool is_mgr_form(const Args& a) {
  return a.prefix() == "osd destroy" || a.prefix() == "osd purge";
}

Text destroy(CommandContext& c, const Args& a, OsdDraft& d) {
  const OsdId osd = a.osd("id");
  if (!d.now.exists(osd)) return fmt::format("osd.{} does not exist", osd);
  TRY_VOID(check_may_destroy(c, a, osd, is_mgr_form(a)));
  if (d.now.is_up(osd)) return fail(EBUSY, fmt::format("osd.{} is not `down`.", osd));
  d.set_state(osd, map::kOsdDestroyed, 0);
  d.inc.new_uuid[osd] = Uuid{};
  return fmt::format("destroyed osd.{}", osd);
}

Text purge(CommandContext& c, const Args& a, OsdDraft& d) {
  const OsdId osd = a.osd("id");
  if (!d.now.exists(osd)) return fmt::format("osd.{} does not exist", osd);
  TRY_VOID(check_may_destroy(c, a, osd, is_mgr_form(a)));
  if (d.now.is_up(osd)) return fail(EBUSY, fmt::format("osd.{} is not `down`.", osd));
  map::CrushMap crush = *d.now.crush;
  const std::string name = fmt::format("osd.{}", osd);
  if (crush.find_item(name)) TRY_VOID(crush.remove(name));
  if (!(crush == *d.now.crush)) d.inc.set_crush(crush);
  d.remove_osd(osd);
  c.services.membership.forget(osd, d);
  return fmt::format("purged osd.{}", osd);
}

Text lost(CommandContext&, const Args& a, OsdDraft& d) {
  const OsdId osd = a.osd("id");
  if (!a.flag("yes_i_really_mean_it"))
    return fail(EPERM,
                "are you SURE?  this might mean real, permanent data loss.  pass "
                "--yes-i-really-mean-it if you really do.");
  if (!d.now.exists(osd)) return fail(ENOENT, fmt::format("osd.{} does not exist", osd));
  if (d.now.is_up(osd)) return fail(EBUSY, fmt::format("osd.{} is not down", osd));
  const Epoch at = d.now.osd_info[osd].down_at;
  d.inc.new_lost[osd] = at;
  return fmt::format("marked osd lost in epoch {}", at);
}

const CommandRow kRows[] = {
    {"osd down name=ids,type=CephString,n=N name=definitely_dead,type=CephBool,req=false",
     "mark OSDs down; those that run come up again", "osd", "rw", 0, edits(down)},
    {"osd stop name=ids,type=CephString,n=N", "mark OSDs down", "osd", "rw", 0, edits(down)},
    {"osd out name=ids,type=CephString,n=N", "mark OSDs out: they get no data", "osd", "rw", 0,
     edits(out)},
    {"osd in name=ids,type=CephString,n=N", "mark OSDs in again", "osd", "rw", 0, edits(in)},
    {"osd reweight name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0",
     "give an OSD only this share (0..1) of the data its CRUSH weight asks for", "osd", "rw", 0,
     edits(reweight)},
    {"osd reweightn name=weights,type=CephString",
     "reweight many OSDs: a JSON object of ids and weights out of 65536", "osd", "rw", 0,
     edits(reweight_many)},
    {"osd primary-affinity name=id,type=CephOsdName name=weight,type=CephFloat,range=0.0|1.0",
     "set how readily (0..1) an OSD becomes primary", "osd", "rw", 0, edits(primary_affinity)},
    {"osd create name=uuid,type=CephUUID,req=false name=id,type=CephOsdName,req=false",
     "register an OSD and print its id", "osd", "rw", command::kFlagDeprecated, create},
    {"osd new name=uuid,type=CephUUID,req=true name=id,type=CephOsdName,req=false",
     "register the OSD with this uuid and print its id", "osd", "rw", 0, create},
    {"osd rm name=ids,type=CephString,n=N", "remove down OSDs from the OSD map", "osd", "rw",
     command::kFlagDeprecated, edits(rm)},
    {"osd destroy name=id,type=CephOsdName name=force,type=CephBool,req=false "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "give up an OSD's data but keep its id for a replacement", "osd", "rw", 0, edits(destroy)},
    {"osd destroy-actual name=id,type=CephOsdName "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "osd destroy without the check", "osd", "rw", command::kFlagHidden, edits(destroy)},
    {"osd purge name=id,type=CephOsdName name=force,type=CephBool,req=false "
     "name=yes_i_really_mean_it,type=CephBool,req=false",
     "remove every trace of a down OSD", "osd", "rw", 0, edits(purge)},
    {"osd purge-new name=id,type=CephOsdName name=yes_i_really_mean_it,type=CephBool,req=false",
     "remove every trace of an OSD that never came up", "osd", "rw", 0, edits(purge)},
    {"osd purge-actual name=id,type=CephOsdName name=yes_i_really_mean_it,type=CephBool,req=false",
     "osd purge without the check", "osd", "rw", command::kFlagHidden, edits(purge)},
    {"osd lost name=id,type=CephOsdName name=yes_i_really_mean_it,type=CephBool,req=false",
     "declare the data of a down OSD lost for good", "osd", "rw", 0, edits(lost)},
};

}  // namespace

void add_osd_id_commands(CommandTable& table) {
  table.add(kRows);
}

}  // namespace plimsoll::mon
