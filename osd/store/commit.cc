// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore's last stations: a group of transactions becomes one record of the journal, and behind
// that the key-value store and the block file are brought up to it.
#include "osd/store/block_store.h"

namespace plimsoll::osd {

namespace {

/// Hops that a write makes on its way here from the socket in which it lies.
constexpr int kHops = 4;
/// Bounds the wait for company where it never ends to come.
constexpr int kLooks = 8;

}  // namespace

Task<void> BlockStore::commit_loop() {
  while (!failed_) {
    co_await wait_for_company();
    if (failed_) break;
    std::vector<TxnRef> group = take_group();
    if (group.empty()) {
      co_await commit_wake_.wait();
      continue;
    }
    auto committed = co_await commit_group(group);
    for (const auto& t : group) {
      if (committed) finish(*t);
      t->answer.set(committed ? Result<>() : Result<>(fail(EIO, committed.error().to_string())));
      under_way_--;
    }
    if (!committed) fail_all(committed.error());
    if (!under_way_) idle_.notify_all();
    prepare_wake_.notify_all();
  }
}

/// A record costs a write and a flush of the disk, however many transactions it holds. So those
/// that are near come along, and other daemons, which may be about to send one, go first; it takes
/// no time where there are none. One that is alone, behind one that was, does not even look.
Task<void> BlockStore::wait_for_company() {
  if (under_way_ == 1 && last_group_ == 1) co_return;
  size_t seen = 0;
  for (int look = 0; look < kLooks && ready_.size() > seen; look++) {
    seen = ready_.size();
    rt_.give_way();
    for (int hop = 0; hop < kHops; hop++) co_await yield();
  }
}

std::vector<BlockStore::TxnRef> BlockStore::take_group() {
  const uint64_t most = files_.journal->size() / 8;
  std::vector<TxnRef> group;
  for (uint64_t bytes = 0; !ready_.empty() && !ready_.front()->writes_left && bytes < most;) {
    bytes += ready_.front()->batch.bytes() + ready_.front()->blocks.size() * kBlock;
    group.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  if (!group.empty()) last_group_ = group.size();
  return group;
}

Task<Result<>> BlockStore::commit_group(std::vector<TxnRef>& group) {
  bool wrote_blocks = false;
  size_t with_blocks = 0;
  for (const auto& t : group) {
    wrote_blocks |= t->wrote_blocks;
    with_blocks += !t->blocks.empty();
  }
  if (options_.fault_no_block_sync) wrote_blocks = false;
  if (wrote_blocks && !options_.fault_keys_before_data) CO_TRY_VOID(co_await files_.block->sync());
  CommitRecord record = gather(group);
  const bool large = !files_.journal->can_hold(encoded_size(record));
  if (large) CO_TRY_VOID(co_await commit_large(record));
  else CO_TRY_VOID(co_await commit_to_journal(record));
  if (wrote_blocks && options_.fault_keys_before_data) CO_TRY_VOID(co_await files_.block->sync());

  const bool was_idle = unsettled_.empty();
  deferred_.durable(with_blocks, files_.journal->last());
  unsettled_bytes_ += record.batch.bytes();
  unsettled_.push_back({files_.journal->last(), std::move(record.batch), group});
  if (large) CO_TRY_VOID(co_await forget_large());
  else if (was_idle || flush_is_urgent()) flush_wake_.notify_all();
  co_return Result<>();
}

CommitRecord BlockStore::gather(const std::vector<TxnRef>& group) {
  CommitRecord record;
  std::map<PgId, std::optional<Usage>> usage;
  record.batch = std::move(group.front()->batch);
  for (const auto& t : group) {
    if (t != group.front()) record.batch.append(std::move(t->batch));
    for (auto& b : std::exchange(t->blocks, {})) record.blocks.push_back(std::move(b));
    for (const auto run : t->allocated) free_map_->mark(run, true);
    for (const auto run : t->freed) free_map_->mark(run, false);
    for (const auto& [pg, behind] : t->usage) usage[pg] = behind;
  }
  for (const auto& [pg, behind] : usage)
    if (behind) record.batch.put(key::collection(pg), wire::to_bytes(*behind).to_string());
  for (const uint64_t chunk : free_map_->take_dirty()) {
    std::string bitmap = free_map_->bitmap(chunk);
    if (bitmap.empty()) record.batch.erase(key::free_map(chunk));
    else record.batch.put(key::free_map(chunk), std::move(bitmap));
  }
  record.batch.put(std::string(key::kCounters),
                   wire::to_bytes(group.back()->counters).to_string());
  return record;
}

Task<Result<>> BlockStore::commit_to_journal(CommitRecord& record) {
  const size_t payload = encoded_size(record);
  if (options_.journal_only && !files_.journal->fits(payload))
    co_return fail(ENOSPC, "the journal has no room before the store was mounted in full");
  while (!failed_ &&
         (!files_.journal->fits(payload) || unsettled_bytes_ >= options_.unsettled_max)) {
    want_room_ = true;
    flush_wake_.notify_all();
    co_await commit_wake_.wait();
  }
  if (failed_) co_return *failed_;
  if (!options_.journal_only) record.in_place = deferred_.in_place();
  Buffer buffer(Journal::buffer_size(payload), kBlock);
  encode(record, buffer.data() + Journal::kHead);
  std::memset(buffer.data() + Journal::kHead + payload, 0,
              buffer.size() - Journal::kHead - payload);
  co_return co_await files_.journal->append(std::move(buffer), payload);
}

Task<Result<>> BlockStore::commit_large(CommitRecord& record) {
  if (options_.journal_only) co_return fail(ENOSPC, "too large a change for the journal");
  // Nothing that the journal holds may be replayed behind it.
  CO_TRY_VOID(co_await trim());
  KvBatch batch = std::exchange(record.batch, {});
  std::string blocks(encoded_size(record), '\0');
  encode(record, reinterpret_cast<uint8_t*>(blocks.data()));
  batch.put(std::string(key::kLarge), std::move(blocks));
  co_return co_await files_.kv->commit(std::move(batch));
}

Task<Result<>> BlockStore::forget_large() {
  // Before anybody can free its blocks.
  CO_TRY_VOID(co_await flush());
  KvBatch batch;
  batch.erase(std::string(key::kLarge));
  co_return co_await files_.kv->commit(std::move(batch));
}

void BlockStore::finish(Txn& t) {
  last_durable_ = t.id;
  for (const auto run : t.freed) release(run);
}

// ---- behind the journal -------------------------------------------------------------------------

Task<Result<>> BlockStore::settle() {
  const auto mutex = one_settle_;
  auto turn = co_await mutex->lock();
  if (failed_) co_return *failed_;
  if (unsettled_.empty()) co_return Result<>();
  auto done = std::exchange(unsettled_, {});
  const uint64_t bytes = unsettled_bytes_;
  std::vector<KvBatch> batches;
  for (auto& u : done) batches.push_back(std::move(u.batch));
  KvBatch batch = merge(std::move(batches));
  if (auto applied = co_await files_.kv->apply(std::move(batch)); !applied) {
    fail_all(applied.error());
    co_return applied;
  }
  for (const auto& u : done)
    for (const auto& t : u.group) settled(*t);
  settled_ = done.back().record;
  unsettled_bytes_ -= bytes;
  commit_wake_.notify_all();
  co_return Result<>();
}

void BlockStore::settled(Txn& t) {
  for (const auto& c : t.changes) c.onode->pins--;
  for (const auto& k : t.omap_keys) {
    auto it = unsettled_omap_.find(k);
    if (it != unsettled_omap_.end() && it->second.transaction == t.id) unsettled_omap_.erase(it);
  }
  std::erase_if(removed_, [&](const auto& r) { return r.second == t.id; });
}

void BlockStore::release(BlockRun run) {
  if (deferred_.any(run)) held_.push_back(run);
  else allocator_->release(run);
}

void BlockStore::release_held() {
  for (const auto run : std::exchange(held_, {})) release(run);
}

Task<Result<>> BlockStore::flush() {
  CO_TRY_VOID(co_await settle());
  const auto mutex = one_flush_;
  auto turn = co_await mutex->lock();
  if (failed_) co_return *failed_;
  auto flushed = co_await deferred_.flush(*files_.block);
  if (!flushed) fail_all(flushed.error());
  else release_held();
  prepare_wake_.notify_all();
  co_return flushed;
}

Task<Result<>> BlockStore::trim() {
  CO_TRY_VOID(co_await flush());
  const auto mutex = one_flush_;
  auto turn = co_await mutex->lock();
  if (failed_) co_return *failed_;
  const uint64_t record = std::min(settled_, deferred_.in_place());
  Result<> done;
  if (!options_.fault_no_kv_sync) done = co_await files_.kv->sync();
  if (done && !options_.journal_only) done = co_await files_.journal->trim(record);
  if (!done) fail_all(done.error());
  want_room_ = false;
  commit_wake_.notify_all();
  co_return done;
}

bool BlockStore::flush_is_urgent() const {
  return flush_now_ || want_room_ || deferred_.durable_bytes() >= options_.deferred_flush ||
         unsettled_bytes_ >= options_.unsettled_flush ||
         files_.journal->used() >= files_.journal->size() / 2;
}

Task<void> BlockStore::flush_loop() {
  while (!failed_) {
    if (unsettled_.empty() && !deferred_.durable_bytes() && !want_room_) {
      co_await flush_wake_.wait();
      continue;
    }
    {
      Timer timer = rt_.clock().call_after(rt_.executor(), options_.flush_delay, [this] {
        flush_now_ = true;
        flush_wake_.notify_all();
      });
      while (!failed_ && !flush_is_urgent()) co_await flush_wake_.wait();
    }
    flush_now_ = false;
    if (failed_) co_return;
    const bool full = want_room_ || files_.journal->used() >= files_.journal->size() / 2;
    auto done = full ? co_await trim() : co_await flush();
    if (!done) co_return;
  }
}

}  // namespace plimsoll::osd
