// SPDX-License-Identifier: LGPL-2.1-or-later
// An object whose bytes here cannot be read (a checksum, the disk) gets them from another OSD while
// the PG serves. Whoever needs the object waits; others of its clients too, since nobody may read
// what is being written. The other copy has the same version and so the same bytes, which replace
// ours piece by piece in place: a crash in between leaves some of them good. Attributes and omap
// are not data and stay. Where nobody can deliver, the reader is told EIO.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

using metrics::Counter;

bool Pg::may_heal(int error, const HObject& object) const {
  return error == EIO && is_primary() && !beyond_help_.contains(object);
}

/// When nobody reads or writes the object any more; it is `damaged`.
void Pg::heal_when_idle(const ObjectRef& object) {
  if (object->readers || object->writer) return;
  object->writer = true;
  const Eversion version = *std::exchange(object->damaged, std::nullopt);
  heal(object->object, version, [this, object](bool) { release(object, true); });
}

void Pg::heal(const HObject& object, Eversion version, std::function<void(bool)> then) {
  const auto [it, first] = healing_.try_emplace(object);
  Healing& h = it->second;
  h.then.push_back(std::move(then));
  if (!first) return;
  h.version = version;
  // Members have it for sure; those that are about to become members perhaps.
  const Interval& i = peering_.interval();
  for (const auto* osds : {&i.acting, &i.up})
    for (const OsdId osd : *osds)
      if (osd != host_.whoami() && !std::count(h.sources.begin(), h.sources.end(), osd))
        h.sources.push_back(osd);
  host_.cluster_error(fmt::format("{} missing primary copy of {}, will try copies on {}", name_,
                                  object.to_string(), fmt::join(h.sources, ",")));
  std::reverse(h.sources.begin(), h.sources.end());
  ask_healer(object);
}

void Pg::ask_healer(const HObject& object) {
  Healing& h = healing_.at(object);
  if (h.sources.empty()) return end_healing(object, false);
  h.ticks = 0;
  host_.counters().inc(Counter::osd_pull);
  send(h.sources.back(), msg::to_raw(msg::MOsdPgPull{header(), object, h.version, h.at}));
}

void Pg::healing_tick() {
  constexpr int kPatience = 5;
  std::vector<HObject> late;
  for (auto& [object, h] : healing_)
    if (!h.applying && ++h.ticks >= kPatience) late.push_back(object);
  for (const HObject& object : late) {
    healing_.at(object).sources.pop_back();
    ask_healer(object);
  }
}

Task<void> Pg::take_healing_piece(OsdId from, msg::MOsdPgPush push, uint64_t generation) {
  const auto it = healing_.find(push.object);
  if (it == healing_.end()) co_return;
  Healing& h = it->second;
  if (h.applying || h.version != push.version || h.sources.back() != from) co_return;
  if (push.result < 0) {
    h.sources.pop_back();
    co_return ask_healer(push.object);
  }
  if (push.at != h.at || push.next.offset < push.at.offset) co_return;
  h.applying = true;
  constexpr Duration kLookAgain = 200ms;
  const uint64_t charge = push.data.size() + push.extents.size() * BlockFile::kBlock;
  while (!host_.take_room_for_copy(charge, true)) {
    co_await host_.runtime().clock().sleep(kLookAgain);

    if (generation != generation_) co_return;
  }
  Transaction txn;
  // Whole blocks, so that nothing of what is damaged is read for it.
  txn.zero(id_, push.object, push.at.offset, push.next.offset - push.at.offset);
  add_extents(txn, push);
  if (!co_await commit(std::move(txn), generation)) co_return;

  host_.counters().inc(Counter::osd_recovery_bytes, push.data.size());
  h.applying = false;
  h.at = push.next;
  if (push.next.in_omap) co_return end_healing(push.object, true);
  ask_healer(push.object);
}

void Pg::end_healing(const HObject& object, bool healed) {
  const auto then = std::move(healing_.extract(object).mapped().then);
  if (healed) {
    log_out_.warn("{} was damaged here, and has been replaced by another copy", object.to_string());
    host_.counters().inc(Counter::osd_recovery_ops);
    counts_.num_objects_repaired++;
    changed_ = true;
  } else if (beyond_help_.insert(object).second) {
    host_.cluster_error(
        fmt::format("{} missing primary copy of {}, unfound", name_, object.to_string()));
  }
  for (const auto& go_on : then) go_on(healed);
}

}  // namespace plimsoll::osd
