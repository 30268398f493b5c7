// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore's life, and the first and last stations of a transaction.
#include "osd/store/block_store.h"

#include <fmt/format.h>

#include "osd/store/kv_walk.h"

namespace plimsoll::osd {

namespace {

constexpr size_t kGroupBytes = 8_MiB;  ///< of key-value batches in one commit

}  // namespace

BlockStore::BlockStore(Runtime& rt, BlockStoreOptions options)
    : rt_(rt),
      options_(std::move(options)),
      log_(log::Subsystem::kStore, options_.path),
      tasks_(rt.executor()),
      cache_(options_.onode_cache_bytes) {}

BlockStore::~BlockStore() = default;

// ---- life ---------------------------------------------------------------------------------------

Task<Result<>> BlockStore::mount() {
  CHECK(!mounted_ && !files_.block);
  CO_TRY(files, co_await open_files(rt_, options_.path, options_.owner, options_.kv));
  files_ = std::move(files);
  if (auto loaded = co_await load(); !loaded) {
    co_await files_.kv->close();
    files_ = {};
    co_return loaded.error();
  }
  mounted_ = true;
  tasks_.spawn(prepare_loop());
  tasks_.spawn(commit_loop());
  tasks_.spawn(flush_loop());
  log_.debug(1, "mounted: {} objects, {} of {} blocks free", counters_.objects, allocator_->free(),
             files_.superblock.device_size / kBlock);
  co_return Result<>();
}

Task<Result<>> BlockStore::load() {
  CO_TRY_VOID(co_await DeferredWrites::replay(*files_.block, *files_.kv));
  CO_TRY(counters, co_await files_.kv->get(std::string(key::kCounters)));
  if (!counters) co_return fail(EINVAL, options_.path + ": key-value store has no counters");
  CO_TRY(decoded, wire::from_bytes<Counters>(Bytes::take(std::move(*counters)), "counters"));
  counters_ = decoded;
  CO_TRY_VOID(co_await load_free_map());
  CO_TRY_VOID(co_await load_collections());
  CO_TRY_VOID(co_await load_sizes(key::kPgMeta));
  co_return co_await load_sizes(key::kStore);
}

Task<Result<>> BlockStore::load_free_map() {
  const uint64_t blocks = files_.superblock.device_size / kBlock;
  free_map_.emplace(blocks);
  allocator_.emplace(blocks);
  for (KvWalk walk(*files_.kv, key::kFreeMap);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, bitmap] : page) {
      auto chunk = key::parse_number(k);
      if (!chunk) co_return fail(EINVAL, options_.path + ": malformed free map key");
      CO_TRY_VOID(free_map_->load(*chunk, bitmap));
    }
  }
  for (uint64_t b = 0; b < kReservedBlocks; b++)
    if (!free_map_->is_used(b)) co_return fail(EINVAL, options_.path + ": free map is incomplete");
  for (const auto& run : free_map_->free_runs()) allocator_->release(run);
  co_return Result<>();
}

Task<Result<>> BlockStore::load_collections() {
  for (KvWalk walk(*files_.kv, key::kCollection);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (const auto& [k, value] : page) {
      auto pg = key::parse_collection(k);
      if (!pg) co_return fail(EINVAL, options_.path + ": malformed collection key");
      collections_.insert(*pg);
    }
  }
}

Task<Result<>> BlockStore::load_sizes(char space) {
  for (KvWalk walk(*files_.kv, space);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (auto& [k, value] : page) sizes_.emplace_hint(sizes_.end(), std::move(k), value.size());
  }
}

Task<void> BlockStore::umount() {
  if (!mounted_) co_return;
  mounted_ = false;
  while (under_way_ && !failed_) co_await idle_.wait();
  if (!failed_) {
    // A failure is logged and costs nothing: the records stay and are replayed.
    [[maybe_unused]] auto flushed = co_await flush();
  }
  co_await tasks_.stop();
  co_await files_.kv->close();
  files_ = {};
}

void BlockStore::fail_all(Error e) {
  if (failed_) return;
  failed_ = fail(EIO, fmt::format("{}: store is unusable after: {}", options_.path, e.to_string()));
  log_.error("the disk failed, nothing is acknowledged any more: {}", e.to_string());
  for (auto* line : {&ready_, &queue_}) {
    for (const auto& t : *line) {
      t->answer.set(*failed_);
      under_way_--;
    }
    line->clear();
  }
  for (auto* wake : {&prepare_wake_, &commit_wake_, &flush_wake_, &idle_}) wake->notify_all();
}

// ---- commit -------------------------------------------------------------------------------------

// Not a coroutine: order and space are decided at the call.
Task<Result<>> BlockStore::commit(Transaction txn) {
  if (failed_) return refused(*failed_);
  if (!mounted_) return refused(fail(ESHUTDOWN, options_.path + ": store is not mounted"));
  const uint64_t need = txn.blocks_written();
  const uint64_t have = allocator_->free() - reserved_blocks_;
  if (need > have) {
    // Space that only deferred writes hold back comes soon.
    flush_now_ = true;
    flush_wake_.notify_all();
    return refused(fail(ENOSPC, fmt::format("{} blocks needed, {} free", need, have)));
  }
  auto t = std::make_shared<Txn>();
  t->id = ++last_transaction_;
  t->ops = std::move(txn);
  t->reserved_blocks = need;
  reserved_blocks_ += need;
  under_way_++;
  queue_.push_back(t);
  prepare_wake_.notify_all();
  return answered(std::move(t));
}

Task<Result<>> BlockStore::answered(TxnRef t) { co_return co_await t->answer.wait(); }
Task<Result<>> BlockStore::refused(Error e) { co_return e; }

Task<void> BlockStore::prepare_loop() {
  while (!failed_) {
    const bool too_much =
        deferred_.bytes() >= options_.deferred_max || writing_bytes_ >= options_.writes_max;
    if (queue_.empty() || too_much) {
      co_await prepare_wake_.wait();
      continue;
    }
    const TxnRef t = queue_.front();
    auto prepared = co_await prepare(t);
    if (failed_) co_return;
    if (!prepared) {
      fail_all(prepared.error());
      co_return;
    }
    reserved_blocks_ -= t->reserved_blocks;
    queue_.pop_front();
    t->ops = {};
    ready_.push_back(t);
    commit_wake_.notify_all();
  }
}

Task<void> BlockStore::commit_loop() {
  while (!failed_) {
    std::vector<TxnRef> group;
    for (size_t bytes = 0;
         !ready_.empty() && !ready_.front()->writes_left && bytes < kGroupBytes;) {
      bytes += ready_.front()->batch.bytes();
      group.push_back(std::move(ready_.front()));
      ready_.pop_front();
    }
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

Task<Result<>> BlockStore::commit_group(std::vector<TxnRef>& group) {
  bool wrote_blocks = false;
  for (const auto& t : group) wrote_blocks |= t->wrote_blocks;
  if (wrote_blocks && !options_.fault_no_block_sync) CO_TRY_VOID(co_await files_.block->sync());

  KvBatch batch = std::move(group.front()->batch);
  for (const auto& t : group) {
    if (t != group.front()) batch.append(std::move(t->batch));
    for (const auto run : t->allocated) free_map_->mark(run, true);
    for (const auto run : t->freed) free_map_->mark(run, false);
  }
  for (const uint64_t chunk : free_map_->take_dirty()) {
    std::string bitmap = free_map_->bitmap(chunk);
    if (bitmap.empty()) batch.erase(key::free_map(chunk));
    else batch.put(key::free_map(chunk), std::move(bitmap));
  }
  batch.put(std::string(key::kCounters), wire::to_bytes(group.back()->counters).to_string());
  co_return co_await files_.kv->commit(std::move(batch));
}

void BlockStore::finish(Txn& t) {
  last_durable_ = t.id;
  for (const auto& c : t.changes) c.onode->pins--;
  for (const auto& k : t.omap_keys) {
    auto it = uncommitted_omap_.find(k);
    if (it != uncommitted_omap_.end() && it->second.transaction == t.id)
      uncommitted_omap_.erase(it);
  }
  std::erase_if(removed_, [&](const auto& r) { return r.second == t.id; });
  if (t.deferred) {
    const bool was_idle = !deferred_.durable_bytes();
    deferred_.durable(t.deferred);
    if (was_idle || deferred_.durable_bytes() >= options_.deferred_flush) flush_wake_.notify_all();
  }
  for (const auto run : t.freed) release(run);
}

// ---- deferred writes and freed space ------------------------------------------------------------

void BlockStore::release(BlockRun run) {
  if (deferred_.any(run)) held_.push_back(run);
  else allocator_->release(run);
}

void BlockStore::release_held() {
  for (const auto run : std::exchange(held_, {})) release(run);
}

Task<Result<>> BlockStore::flush() {
  const auto mutex = one_flush_;
  auto turn = co_await mutex->lock();
  if (failed_) co_return *failed_;
  auto flushed = co_await deferred_.flush(*files_.block, *files_.kv);
  if (!flushed) fail_all(flushed.error());
  else release_held();
  prepare_wake_.notify_all();
  co_return flushed;
}

Task<void> BlockStore::flush_loop() {
  while (!failed_) {
    if (!deferred_.durable_bytes()) {
      co_await flush_wake_.wait();
      continue;
    }
    {
      Timer timer = rt_.clock().call_after(rt_.executor(), options_.deferred_delay, [this] {
        flush_now_ = true;
        flush_wake_.notify_all();
      });
      while (!failed_ && !flush_now_ && deferred_.durable_bytes() < options_.deferred_flush)
        co_await flush_wake_.wait();
    }
    flush_now_ = false;
    if (failed_) co_return;
    if (auto flushed = co_await flush(); !flushed) co_return;
  }
}

}  // namespace plimsoll::osd
