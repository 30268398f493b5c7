// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/osd_service.h"

#include "common/map/fullness.h"

namespace plimsoll::mon {

using map::Incremental;
using map::OSDMap;

// ---- drafts
// ---------------------------------------------------------------------------------------

void OsdDraft::set_state(OsdId osd, uint32_t on, uint32_t off) {
  const uint32_t before = base.is_valid(osd) ? base.osd_state[osd] : 0;
  const uint32_t wanted = ((now.is_valid(osd) ? now.osd_state[osd] : 0) | on) & ~off;
  // new_state flips bits of the committed map; a zero would flip "up".
  if (wanted == before)
    inc.new_state.erase(osd);
  else
    inc.new_state[osd] = wanted ^ before;
}

void OsdDraft::set_flags(uint32_t on, uint32_t off) {
  inc.new_flags = static_cast<int32_t>((inc.flags_after(base) | on) & ~off);
}

map::PgPool& OsdDraft::edit_pool(PoolId id) {
  map::PgPool* pool = inc.edit_pool(base, id);
  CHECK(pool);
  pool->last_change = inc.epoch;
  return *pool;
}

void OsdDraft::remove_pool(PoolId id) {
  inc.new_pools.erase(id);
  inc.new_pool_names.erase(id);
  if (base.pool(id)) inc.old_pools.insert(id);
  for (const auto& [pg, _] : now.pg_upmap)
    if (pg.pool == id) inc.new_pg_upmap.erase(pg), inc.old_pg_upmap.insert(pg);
  for (const auto& [pg, _] : now.pg_upmap_items)
    if (pg.pool == id) inc.new_pg_upmap_items.erase(pg), inc.old_pg_upmap_items.insert(pg);
  for (const auto& [pg, _] : now.primary_temp)
    if (pg.pool == id) inc.new_primary_temp[pg] = kNoOsd;
}

void OsdDraft::remove_osd(OsdId osd) {
  set_state(osd, 0, ~0u);
  inc.new_weight[osd] = map::kOsdOut;
  inc.new_uuid[osd] = Uuid{};
  inc.new_up_client.erase(osd);
}

bool changes_placement(const OSDMap& before, const Incremental& inc) {
  if (!inc.fullmap.empty() || !inc.crush.empty() || inc.new_max_osd >= 0) return true;
  if (!inc.new_pools.empty() || !inc.old_pools.empty() || !inc.new_weight.empty()) return true;
  if (!inc.new_pg_upmap.empty() || !inc.old_pg_upmap.empty()) return true;
  if (!inc.new_pg_upmap_items.empty() || !inc.old_pg_upmap_items.empty()) return true;
  if (!inc.new_pg_temp.empty()) return true;
  for (const auto& [osd, bits] : inc.new_state)
    if (bits & map::kOsdExists) return true;
  for (const auto& [osd, _] : inc.new_up_client)
    if (!before.exists(osd)) return true;
  return false;
}

// ---- the service
// ----------------------------------------------------------------------------------

OsdService::OsdService(Runtime& runtime, const config::Config& config, Consensus& consensus)
    : runtime_(runtime),
      config_(config),
      consensus_(consensus),
      store_(consensus),
      tasks_(runtime.executor()) {}

Task<Result<>> OsdService::load() {
  CO_TRY(map, co_await store_.load(static_cast<size_t>(config_.mon_osd_cache_size())));
  map_ = std::move(map);
  moved_ = map_.epoch;
  pending_ = Incremental::after(map_);
  tasks_.spawn(commit_loop());
  co_return Result<>();
}

Task<void> OsdService::stop() {
  co_await tasks_.stop();
  for (auto& w : waiters_) w->set(fail(ESHUTDOWN, "the monitor is stopping"));
  waiters_.clear();
}

const OSDMap& OsdService::preview() {
  if (pending_.is_empty()) return map_;
  if (!preview_) {
    preview_ = map_;
    const Result<> applied = preview_->apply_incremental(pending_);
    CHECK_NOTE(applied, "pending edits fit the map");
  }
  return *preview_;
}

Task<Result<Epoch>> OsdService::change(const Edit& edit) {
  while (committing_) co_await committed_.wait();

  const Incremental before = pending_;
  const KvBatch extra_before = pending_extra_;
  const map::HomeChanges homes_before = pending_homes_;
  OsdDraft draft{map_, preview(), pending_, pending_extra_, pending_homes_};
  const Result<> edited = edit(draft);
  if (!edited) {
    pending_ = before;
    pending_extra_ = extra_before;
    pending_homes_ = homes_before;
    co_return edited.error();
  }
  if (!(pending_ == before)) preview_.reset();
  // An edit that repeats one still pending must wait for it just the same.
  if (pending_.is_empty() && pending_extra_.empty() && pending_homes_.empty())
    co_return map_.epoch;
  urgent_ |= draft.urgent;
  auto done = std::make_shared<OneShot<Result<Epoch>>>();
  waiters_.push_back(done);
  work_.notify_all();
  co_return co_await done->wait();
}

Task<Result<Epoch>> OsdService::change_crush(const std::function<Result<>(map::CrushMap&)>& edit) {
  const Edit edit_draft = [&edit](OsdDraft& d) -> Result<> {
    map::CrushMap crush = *d.now.crush;
    TRY_VOID(edit(crush));
    if (crush == *d.now.crush) return {};
    d.inc.set_crush(crush);
    return {};
  };
  co_return co_await change(edit_draft);
}

Task<void> OsdService::commit_loop() {
  while (true) {
    while (waiters_.empty()) co_await work_.wait();
    co_await wait_for_batch();
    co_await commit_pending();
  }
}

Task<void> OsdService::wait_for_batch() {
  bool time_is_up = false;
  const auto ring = [this, &time_is_up] {
    time_is_up = true;
    work_.notify_all();
  };
  const Timer timer = runtime_.clock().call_after(runtime_.executor(), kBatchDelay, ring);
  while (!urgent_ && !time_is_up) co_await work_.wait();
}

/// What follows from the edits, whoever made them.
void OsdService::finish(Incremental& inc, const map::HomeChanges& homes) const {
  inc.modified = runtime_.clock().wall();
  const bool moves =
      changes_placement(map_, inc) || !inc.new_state.empty() || !homes.empty();
  if (!moves && inc.new_up_client.empty()) return;
  OSDMap next = map_;
  const Result<> applied = next.apply_incremental(inc);
  CHECK_NOTE(applied, "pending edits fit the map");
  map::derive_pool_flags(map_, next, inc);
  if (moves) map::prime_pg_temp(map_, next, homes, inc);
}

Task<void> OsdService::commit_pending() {
  committing_ = true;
  Incremental inc = std::exchange(pending_, {});
  KvBatch batch = std::exchange(pending_extra_, {});
  const map::HomeChanges homes = std::exchange(pending_homes_, {});
  const auto waiters = std::exchange(waiters_, {});
  urgent_ = false;
  preview_.reset();

  const auto min_epochs = static_cast<size_t>(config_.mon_min_osdmap_epochs());
  const bool moves =
      changes_placement(map_, inc) || !inc.new_state.empty() || !inc.new_up_client.empty();
  finish(inc, homes);
  Result<map::SealedStep> step = map::seal(map_, inc);
  Result<Version> committed = step ? Result<Version>(0) : Result<Version>(step.error());
  if (step) {
    store_.put(*step, min_epochs, batch);
    committed = co_await consensus_.propose(std::move(batch));
  }
  if (committed) {
    store_.committed(*step, min_epochs);
    std::swap(map_, step->next);
    if (moves) moved_ = map_.epoch;
  } else {
    log_.error("epoch {} was not committed: {}", inc.epoch, committed.error().to_string());
  }
  pending_ = Incremental::after(map_);
  committing_ = false;
  if (committed && on_epoch) on_epoch(step->next);
  for (const auto& w : waiters) {
    if (committed)
      w->set(map_.epoch);
    else
      w->set(committed.error());
  }
  committed_.notify_all();
}

}  // namespace plimsoll::mon
