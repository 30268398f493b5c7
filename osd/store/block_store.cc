// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore's life: mount, what it loads, umount, the end after an error of the disk; and the
// first station of a transaction.
#include "osd/store/block_store.h"

#include <fmt/format.h>

#include "osd/store/kv_walk.h"
#include "osd/store/replay.h"

namespace plimsoll::osd {

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
  const Access access = options_.journal_only ? Access::kJournal : Access::kWrite;
  CO_TRY(files, co_await open_files(rt_, options_.path, options_.owner, options_.kv, access,
                                    options_.ballast));
  files_ = std::move(files);
  if (auto loaded = co_await load(); !loaded) {
    co_await files_.kv->close();
    files_ = {};
    co_return loaded.error();
  }
  mounted_ = true;
  files_.ballast->set_patient(true);
  tasks_.spawn(prepare_loop());
  tasks_.spawn(commit_loop());
  tasks_.spawn(flush_loop());
  log_.debug(1, "mounted: {} objects, {} of {} blocks free", counters_.objects, allocator_->free(),
             files_.superblock.device_size / kBlock);
  co_return Result<>();
}

Task<Result<>> BlockStore::load() {
  CO_TRY(replayed, co_await replay(files_));
  if (replayed) log_.debug(1, "replayed {} records of the journal", replayed);
  files_.journal->fault_not_durable = options_.fault_no_journal_sync;
  CO_TRY(counters, co_await files_.kv->get(std::string(key::kCounters)));
  if (!counters) co_return fail(EINVAL, options_.path + ": key-value store has no counters");
  CO_TRY(decoded, wire::from_bytes<Counters>(Bytes::take(std::move(*counters)), "counters"));
  counters_ = decoded;
  CO_TRY_VOID(co_await load_free_map());
  CO_TRY_VOID(co_await load_collections());
  CO_TRY_VOID(co_await load_sizes(key::kPgMeta));
  if (!uncounted_.empty()) CO_TRY_VOID(co_await count_collections());
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
      if (value.empty()) {
        uncounted_.insert(*pg);
        continue;
      }
      CO_TRY(usage, wire::from_bytes<Usage>(Bytes::copy(value), "usage of a collection"));
      usage_[*pg] = usage;
    }
  }
}

Task<Result<>> BlockStore::count_collections() {
  for (const PgId pg : uncounted_)
    usage_[pg] = {.meta_bytes = key::collection(pg).size() + sizes_[pg].total()};
  for (KvWalk walk(*files_.kv, key::kOnode);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (auto& [k, value] : page) {
      auto pg = key::parse_pg(k);
      if (!pg || !uncounted_.contains(*pg)) continue;
      const size_t kv_bytes = k.size() + value.size();
      Onode o;
      ByteReader r(Bytes::take(std::move(value)));
      decode(o, r);
      if (!r.ok()) co_return fail(EIO, "damaged onode in collection " + pg->to_string());
      usage_[*pg] += o.usage(kv_bytes);
    }
  }
  log_.warn("counted what {} collections take, for the first time", uncounted_.size());
  co_return Result<>();
}

Task<Result<>> BlockStore::load_sizes(char space) {
  for (KvWalk walk(*files_.kv, space);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (const auto& [k, value] : page) {
      const auto pg = space == key::kStore ? std::nullopt : key::parse_pg(k);
      if (!pg && space != key::kStore)
        co_return fail(EINVAL, options_.path + ": malformed PG key");
      sizes_[pg].set(k, value.size());
    }
  }
}

Task<void> BlockStore::umount() {
  if (!mounted_) co_return;
  mounted_ = false;
  files_.ballast->set_patient(false);
  while (under_way_ && !failed_) co_await idle_.wait();
  if (!failed_) {
    // A failure is logged and costs nothing: the records stay and are replayed.
    [[maybe_unused]] auto trimmed = co_await trim();
  }
  co_await tasks_.stop();
  co_await files_.kv->close();
  files_ = {};
}

HostSpace BlockStore::host() const {
  if (!mounted_) return {};
  return {host_free_, files_.ballast->held(), files_.ballast->whole()};
}

Task<void> BlockStore::look_at_host(uint64_t spare) {
  if (!mounted_) co_return;
  if (const Ballast& b = *files_.ballast; b.held() < b.whole()) {
    auto restored = co_await files_.ballast->restore(spare);
    if (!restored && restored.error().code() != ENOSPC)
      log_.warn("no ballast for a full host: {}", restored.error().to_string());
  }
  const auto free = rt_.host_free(options_.path);
  if (free) host_free_ = *free;
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
  if (need && options_.journal_only)
    return refused(fail(EROFS, options_.path + ": only its journal is open for writing"));
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

}  // namespace plimsoll::osd
