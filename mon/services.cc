// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/services.h"

namespace plimsoll::mon {

Services::Services(Runtime& r, config::Config& c, Consensus& cons)
    : runtime(r),
      config(c),
      consensus(cons),
      name(c.who().id),
      started(r.clock().now()),
      log(r, c, cons, "mon." + name),
      keys(cons),
      settings(r.clock(), keys),
      auth(cons),
      osd(r, c, cons),
      membership(r, c, osd, log),
      stats(r.clock()),
      quotas(osd, stats, log),
      health(r, c, cons, osd, stats, membership, log) {
  osd.on_epoch = [this](const map::OSDMap& before) { after_epoch(before); };
}

Task<Result<>> Services::load() {
  CO_TRY(blob, co_await consensus.get(kMonMapKey));
  if (!blob) co_return fail(ENOENT, "the store holds no monitor map");
  CO_TRY(map, wire::from_bytes<map::MonMap>(Bytes::take(std::move(*blob)), "monitor map"));
  monmap = std::move(map);
  CO_TRY_VOID(co_await log.load());
  CO_TRY_VOID(co_await keys.load());
  CO_TRY_VOID(co_await auth.load());
  CO_TRY_VOID(co_await osd.load());
  CO_TRY_VOID(co_await membership.load(consensus));
  CO_TRY_VOID(co_await health.load());
  stats.on_map(osd.map());
  health.refresh();
  co_return Result<>();
}

Task<void> Services::stop() {
  co_await osd.stop();
  co_await log.stop();
}

Task<void> Services::tick() {
  stats.tick();
  co_await auth.tick();
  co_await membership.tick();
  co_await health.tick();
}

void Services::after_epoch(const map::OSDMap& before) {
  stats.on_map(osd.map());
  health.refresh();
  if (on_osdmap) on_osdmap(before);
}

}  // namespace plimsoll::mon
