// SPDX-License-Identifier: LGPL-2.1-or-later
// Whole objects between members, a piece at a time, before the PG serves. Whoever receives asks for
// the next piece, so the sender keeps nothing. An object that is there in parts still counts as
// missing in the store, so a crash in between only means to begin it again.
#include <algorithm>

#include "osd/pg/pg.h"

namespace plimsoll::osd {

using msg::MOsdPgPull;
using msg::MOsdPgPush;

// ---- sending ------------------------------------------------------------------------------------

/// Answers a pull on its connection; a push of our own (`to` is null) goes to `osd`.
Task<void> Pg::send_piece(messenger::ConnectionRef to, OsdId osd, MOsdPgPull asked,
                          uint64_t generation) {
  auto push = co_await read_piece(asked);

  if (generation != generation_) co_return;
  if (!push && may_heal(push.error().code(), asked.object)) {
    co_return heal(asked.object, asked.version, [this, to, osd, asked](bool healed) {
      if (healed) tasks_.spawn(send_piece(to, osd, asked, generation_));
      else act(peering_.on_source_failed(host_.whoami(), asked.object));
    });
  }
  MOsdPgPush m;
  if (push) {
    m = std::move(*push);
  } else {
    log_out_.warn("cannot send {} at {}: {}", asked.object.to_string(), asked.version.to_string(),
                  push.error().to_string());
    if (is_primary()) co_return act(peering_.on_source_failed(host_.whoami(), asked.object));
    m.object = asked.object;
    m.version = asked.version;
    m.result = push.error().wire();
  }
  m.pg = answer_to(asked.pg);
  if (is_primary()) count_recovered(m);
  host_.counters().inc(metrics::Counter::osd_push_out_bytes, m.data.size());
  if (to)
    to->send(msg::to_raw(m));
  else
    send(osd, msg::to_raw(m));
}

Task<Result<MOsdPgPush>> Pg::read_piece(const MOsdPgPull& asked) {
  ObjectStore& store = host_.store();
  MOsdPgPush push;
  push.object = asked.object;
  push.version = asked.version;
  push.at = push.next = asked.cursor;
  CO_TRY(stat, co_await store.stat(id_, push.object));
  CO_TRY(raw, co_await store.get_attr(id_, push.object, kInfoAttr));
  CO_TRY(info, wire::from_bytes<ObjectInfo>(raw, "object info"));
  if (info.version != asked.version)
    co_return fail(ENOENT, "the copy here is at " + info.version.to_string());
  push.size = stat.size;
  if (!push.at.in_omap) {
    CO_TRY_VOID(co_await read_data(push));
  }
  const uint64_t budget = host_.config().osd_recovery_max_chunk();
  if (push.next.in_omap && push.data.size() < budget) {
    CO_TRY_VOID(co_await read_omap(push, budget - push.data.size()));
  }
  if (push.last) {
    CO_TRY(header, co_await store.omap_header(id_, push.object));
    CO_TRY(attrs, co_await store.get_attrs(id_, push.object));
    push.omap_header = std::move(header);
    push.attrs = std::move(attrs);
  }
  co_return push;
}

/// The extents of the next stretch of the object; holes are not sent.
Task<Result<>> Pg::read_data(MOsdPgPush& push) {
  ObjectStore& store = host_.store();
  const uint64_t chunk = host_.config().osd_recovery_max_chunk() & ~(BlockFile::kBlock - 1);
  const uint64_t length = std::min(push.size - std::min(push.size, push.at.offset), chunk);
  std::string joined;
  if (length) {
    CO_TRY(extents, co_await store.extents(id_, push.object, push.at.offset, length));
    for (const auto& e : extents) {
      CO_TRY(data, co_await store.read(id_, push.object, e.offset, e.length));
      push.extents.emplace_back(e.offset, static_cast<uint32_t>(data.size()));
      if (extents.size() == 1)
        push.data = data;
      else
        joined.append(data.view());
    }
  }
  if (!joined.empty()) push.data = Bytes::take(std::move(joined));
  push.next.offset = push.at.offset + length;
  push.next.in_omap = push.next.offset >= push.size;
  co_return Result<>();
}

Task<Result<>> Pg::read_omap(MOsdPgPush& push, uint64_t budget) {
  constexpr uint64_t kKeys = 4096;
  std::optional<std::string> after;
  if (!push.at.omap_after.empty()) after = push.at.omap_after;
  CO_TRY(page, co_await host_.store().omap_page(id_, push.object, std::move(after), std::string(),
                                                kKeys, budget));
  push.last = !page.more;
  if (!page.pairs.empty()) push.next.omap_after = page.pairs.back().first;
  push.omap = std::move(page.pairs);
  co_return Result<>();
}

/// Primaries report what was recovered, whichever way it went.
void Pg::count_recovered(const MOsdPgPush& piece) {
  counts_.num_bytes_recovered += static_cast<int64_t>(piece.data.size());
  counts_.num_keys_recovered += static_cast<int64_t>(piece.omap.size());
  counts_.num_objects_recovered += piece.last;
}

// ---- receiving ----------------------------------------------------------------------------------

void Pg::add_extents(Transaction& txn, const MOsdPgPush& push) {
  uint64_t at = 0;
  for (const auto& [offset, length] : push.extents) {
    txn.write(id_, push.object, offset, push.data.slice(at, length));
    at += length;
  }
}

Task<void> Pg::apply_piece(messenger::ConnectionRef from, OsdId osd, MOsdPgPush push,
                           uint64_t generation) {
  // What members lack keeps the PG from serving, deletions too: it may use the space above the full
  // line, but no more. Newcomers have no more than clients' writes. Then they wait.
  constexpr Duration kLookAgain = 200ms;
  const uint64_t charge = push.data.size() + push.extents.size() * BlockFile::kBlock;
  while (!host_.take_room_for_copy(charge, !is_newcomer())) {
    co_await host_.runtime().clock().sleep(kLookAgain);

    if (generation != generation_) co_return;
  }
  const auto need = missing_.find(push.object);
  const bool ours = is_primary();
  if (need == missing_.end() || need->second != push.version) {
    // The last piece was sent twice: only the answer was lost.
    if (!ours && need == missing_.end() && !only_noted(push.object))
      from->send(msg::to_raw(msg::MOsdPgPushed{answer_to(push.pg), push.object, push.version}));
    co_return;
  }
  if (push.result < 0) {
    if (ours) act(peering_.on_source_failed(osd, push.object));
    co_return;
  }
  // Of two transfers of one object, when a connection was lost, only the newer may go on.
  if (!push.at.at_start() && receiving_[push.object] != push.at) co_return;
  receiving_[push.object] = push.next;
  auto& counters = host_.counters();
  counters.inc(metrics::Counter::osd_subop_push);
  counters.inc(metrics::Counter::osd_subop_push_in_bytes, push.data.size());
  counters.inc(metrics::Counter::osd_recovery_bytes, push.data.size());
  if (ours) count_recovered(push);

  Transaction txn;
  if (push.at.at_start()) txn.remove(id_, push.object);
  txn.touch(id_, push.object);
  add_extents(txn, push);
  if (!push.omap.empty()) txn.omap_set(id_, push.object, {push.omap.begin(), push.omap.end()});
  if (push.last) {
    txn.truncate(id_, push.object, push.size);
    if (!push.omap_header.empty()) txn.omap_set_header(id_, push.object, push.omap_header);
    for (auto& [name, value] : push.attrs) txn.set_attr(id_, push.object, name, value);
    std::map<std::string, Bytes> gone;
    gone[pg_keys::missing(push.object)];
    txn.meta_remove(id_, std::move(gone));
    missing_.erase(push.object);
    receiving_.erase(push.object);
  }
  if (!co_await commit(std::move(txn), generation)) co_return;

  if (!push.last) {
    from->send(msg::to_raw(MOsdPgPull{answer_to(push.pg), push.object, push.version, push.next}));
    co_return;
  }
  counters.inc(metrics::Counter::osd_recovery_ops);
  if (ours)
    act(peering_.on_recovered(host_.whoami(), push.object));
  else
    from->send(msg::to_raw(msg::MOsdPgPushed{answer_to(push.pg), push.object, push.version}));
}

}  // namespace plimsoll::osd
