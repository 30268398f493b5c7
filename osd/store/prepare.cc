// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore's middle station: a transaction becomes changed onodes, block writes and one key-value
// batch. One transaction at a time, so whatever is read here is what the transactions before left
// behind: in the cache, in deferred writes, in unsettled_omap_, and only then on disk.
#include "common/base/crc32c.h"
#include "osd/store/block_store.h"
#include "osd/store/checked_read.h"
#include "osd/store/kv_walk.h"

namespace plimsoll::osd {

namespace {

/// Up to this many keys are erased one by one: range tombstones slow down every later read.
constexpr uint64_t kEraseSingly = 64;
constexpr size_t kOnodeBytes = 600;  ///< of most encoded onodes

/// Checksums of `count` blocks that lie in `pieces` one after the other.
std::vector<uint32_t> block_crcs(const std::vector<Bytes>& pieces, uint64_t count) {
  std::vector<uint32_t> out;
  out.reserve(count);
  uint32_t crc = 0xffffffff;
  size_t have = 0;
  for (const auto& p : pieces) {
    for (size_t at = 0; at < p.size();) {
      const size_t n = std::min<size_t>(kBlock - have, p.size() - at);
      crc = crc32c(crc, p.view().substr(at, n));
      at += n;
      have += n;
      if (have < kBlock) continue;
      out.push_back(std::exchange(crc, 0xffffffff));
      have = 0;
    }
  }
  CHECK(out.size() == count && have == 0);
  return out;
}

/// Takes the first `n` bytes off the front of `pieces`.
std::vector<Bytes> take_front(std::deque<Bytes>& pieces, uint64_t n) {
  std::vector<Bytes> out;
  while (n) {
    Bytes& front = pieces.front();
    out.push_back(front.slice(0, n));
    n -= out.back().size();
    front = front.slice(out.back().size());
    if (front.empty()) pieces.pop_front();
  }
  return out;
}

bool overlap(BlockRun a, BlockRun b) { return a.first < b.end() && b.first < a.end(); }

}  // namespace

Task<Result<>> BlockStore::prepare(TxnRef t) {
  t->batch.mutable_ops().reserve(t->ops.ops().size() + 4);
  Latest latest;
  for (const auto& op : t->ops.ops()) CO_TRY_VOID(co_await apply(*t, op, latest));
  seal_onodes(*t);
  seal_usage(*t);
  t->blocks = deferred_.seal();
  t->counters = counters_;
  co_return Result<>();
}

Task<Result<>> BlockStore::apply(Txn& t, const TxnOp& op, Latest& latest) {
  switch (op.code) {
    case TxnCode::kCreateCollection: create_collection(t, op.pg); co_return Result<>();
    case TxnCode::kRemoveCollection: co_return co_await remove_collection(t, op.pg);
    case TxnCode::kMetaSet:
      create_collection(t, op.pg);
      for (const auto& [k, v] : op.map) put_small(t, op.pg, key::pg_meta(op.pg, k), v);
      co_return Result<>();
    case TxnCode::kMetaRemove:
      for (const auto& [k, v] : op.map) erase_small(t, op.pg, key::pg_meta(op.pg, k));
      co_return Result<>();
    case TxnCode::kMetaRemoveRange:
      erase_small_range(t, op.pg, key::pg_meta(op.pg, op.name), key::pg_meta(op.pg, op.name2));
      co_return Result<>();
    case TxnCode::kStoreSet:
      for (const auto& [k, v] : op.map) put_small(t, {}, key::store(k), v);
      co_return Result<>();
    case TxnCode::kStoreRemove:
      for (const auto& [k, v] : op.map) erase_small(t, {}, key::store(k));
      co_return Result<>();
    default: {
      // Only what this transaction has changed is pinned, and so still the one the cache knows.
      const bool known = latest.onode && latest.onode->changed_by == t.id &&
                         latest.op->pg == op.pg && latest.op->object == op.object;
      if (!known) {
        CO_TRY(o, co_await find(op.pg, op.object));
        latest = {&op, o};
      }
      co_return co_await apply_to_object(t, latest.onode, op);
    }
  }
}

Task<Result<>> BlockStore::apply_to_object(Txn& t, const OnodeRef& ref, const TxnOp& op) {
  CachedOnode& o = *ref;
  if (!o.exists && removes(op.code)) co_return Result<>();
  change(t, op.pg, ref);
  if (!o.exists) {
    create_collection(t, op.pg);
    o.exists = true;
  }
  if (op.code != TxnCode::kRemove) co_return co_await apply_to_onode(t, o.onode, op);
  CO_TRY_VOID(co_await omap_clear(t, o.onode));
  o.onode.unmap(0, UINT64_MAX, t.freed);
  o.onode = {};
  o.exists = false;
  co_return Result<>();
}

Task<Result<>> BlockStore::apply_to_onode(Txn& t, Onode& o, const TxnOp& op) {
  switch (op.code) {
    case TxnCode::kWrite: co_return co_await write(t, o, op.offset, op.data);
    case TxnCode::kZero: co_return co_await zero(t, o, op.offset, op.length);
    case TxnCode::kTruncate: co_return co_await truncate(t, o, op.offset);
    // A copy, since the value stays in the cache and must not keep a whole message alive.
    case TxnCode::kSetAttr: o.attrs[op.name] = Bytes::copy(op.data.view()); break;
    case TxnCode::kRemoveAttr: o.attrs.erase(op.name); break;
    case TxnCode::kClearAttrs: o.attrs.clear(); break;
    case TxnCode::kOmapSet: co_return co_await omap_set(t, o, op);
    case TxnCode::kOmapRemove: co_return co_await omap_remove(t, o, op);
    case TxnCode::kOmapRemoveRange: co_return co_await omap_remove_range(t, o, op.name, op.name2);
    case TxnCode::kOmapClear: co_return co_await omap_clear(t, o);
    case TxnCode::kOmapSetHeader: co_return co_await omap_set_header(t, o, op.data);
    case TxnCode::kAllocHint:
      o.expected_object_size = op.offset;
      o.expected_write_size = op.length;
      break;
    default: break;  // kTouch: being there is all.
  }
  co_return Result<>();
}

// ---- onodes -------------------------------------------------------------------------------------

void BlockStore::change(Txn& t, PgId pg, const OnodeRef& ref) {
  if (ref->changed_by == t.id) return;
  ref->changed_by = t.id;
  ref->pins++;
  t.changes.push_back({ref, pg, ref->usage()});
}

void BlockStore::account(Txn& t, std::optional<PgId> pg, const Usage& more) {
  counters_ += more;
  if (!pg) return;
  usage_[*pg] += more;
  t.usage[*pg];
}

/// A collection that is gone keeps its usage up to here: what it held is taken off piece by piece.
void BlockStore::seal_usage(Txn& t) {
  for (const PgId pg : std::exchange(uncounted_, {})) t.usage[pg];
  for (auto& [pg, usage] : t.usage) {
    if (collections_.contains(pg)) usage = usage_[pg];
    else usage_.erase(pg);
  }
}

void BlockStore::seal_onodes(Txn& t) {
  for (const auto& c : t.changes) {
    CachedOnode& o = *c.onode;
    o.kv_bytes = 0;
    if (o.exists) {
      ByteWriter w;
      w.reserve(kOnodeBytes);
      encode(o.onode, w);
      o.kv_bytes = o.key.size() + w.size();
      t.batch.put(o.key, w.take_string());
    } else if (c.before.objects) {
      t.batch.erase(o.key);
    }
    account(t, c.pg, o.usage() - c.before);
    cache_.resized(c.onode);
  }
}

// ---- collections and keys -----------------------------------------------------------------------

void BlockStore::create_collection(Txn& t, PgId pg) {
  if (!collections_.insert(pg).second) return;
  account(t, pg, {.meta_bytes = key::collection(pg).size()});
}

Task<void> BlockStore::all_before(const Txn& t) {
  while (!failed_ && last_durable_ + 1 < t.id) co_await prepare_wake_.wait();
}

Task<Result<>> BlockStore::remove_collection(Txn& t, PgId pg) {
  if (!collections_.contains(pg)) co_return Result<>();
  // With nothing under way, the key-value store holds all objects but those that this transaction
  // has changed itself.
  co_await all_before(t);
  CO_TRY_VOID(co_await settle());
  const bool again = removed_.contains(pg);
  removed_[pg] = t.id;
  removals_++;

  const std::string prefix = key::onode_prefix(pg);
  for (const auto& ref : cache_.with_prefix(prefix)) {
    change(t, pg, ref);
    ref->onode.unmap(0, UINT64_MAX, t.freed);
    if (ref->onode.omap_id)
      t.batch.erase_range(key::omap_header(ref->onode.omap_id),
                          key::omap_header(ref->onode.omap_id + 1));
    ref->onode = {};
    ref->exists = false;
  }
  for (KvWalk walk(*files_.kv, prefix); !again;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (auto& [k, value] : page) {
      const size_t kv_bytes = k.size() + value.size();
      if (auto known = cache_.find(k); known && known->pins) continue;
      Onode o;
      ByteReader r(Bytes::take(std::move(value)));
      decode(o, r);
      if (!r.ok()) co_return fail(EIO, "damaged onode in collection " + pg.to_string());
      account(t, pg, Usage() - o.usage(kv_bytes));
      if (o.omap_id)
        t.batch.erase_range(key::omap_header(o.omap_id), key::omap_header(o.omap_id + 1));
      o.unmap(0, UINT64_MAX, t.freed);
    }
  }
  t.batch.erase_range(prefix, key::after_prefix(prefix));
  const std::string meta = key::pg_meta(pg, {});
  erase_small_range(t, pg, meta, key::after_prefix(meta));
  sizes_.erase(pg);
  std::string k = key::collection(pg);
  account(t, pg, Usage() - Usage{.meta_bytes = k.size()});
  t.batch.erase(std::move(k));
  collections_.erase(pg);
  co_return Result<>();
}

void BlockStore::put_small(Txn& t, std::optional<PgId> pg, std::string k, const Bytes& value) {
  const auto old = sizes_[pg].set(k, value.size());
  const uint64_t before = old ? k.size() + *old : 0;
  account(t, pg, {.meta_bytes = k.size() + value.size() - before});
  t.batch.put(std::move(k), value.to_string());
}

void BlockStore::erase_small(Txn& t, std::optional<PgId> pg, const std::string& k) {
  const auto old = sizes_[pg].erase(k);
  if (!old) return;
  account(t, pg, Usage() - Usage{.meta_bytes = k.size() + *old});
  t.batch.erase(k);
}

void BlockStore::erase_small_range(Txn& t, PgId pg, const std::string& from,
                                   const std::string& to) {
  for (const auto& k : sizes_[pg].between(from, to)) erase_small(t, pg, k);
}

// ---- bytes --------------------------------------------------------------------------------------

Task<Result<>> BlockStore::write(Txn& t, Onode& o, uint64_t offset, Bytes data) {
  if (data.empty()) co_return Result<>();
  o.size = std::max(o.size, offset + data.size());
  if (data.size() > kDeferMax) co_return co_await write_direct(t, o, offset, std::move(data));
  co_return co_await write_deferred(t, o, offset, std::move(data));
}

/// Out of what was reserved at the call of commit(), so that nothing counts twice.
std::vector<BlockRun> BlockStore::allocate(Txn& t, uint64_t count) {
  CHECK(count <= t.reserved_blocks);
  std::vector<BlockRun> runs;
  if (!count) return runs;
  allocator_->allocate(count, runs);
  t.reserved_blocks -= count;
  reserved_blocks_ -= count;
  t.allocated.insert(t.allocated.end(), runs.begin(), runs.end());
  return runs;
}

Task<Result<>> BlockStore::write_direct(Txn& t, Onode& o, uint64_t offset, Bytes data) {
  const uint64_t first = offset / kBlock;
  const uint64_t end = round_up(offset + data.size(), kBlock) / kBlock;
  const uint64_t tail = (offset + data.size()) % kBlock;
  std::deque<Bytes> pieces;
  if (offset % kBlock) {
    CO_TRY(head_block, co_await block_content(o, first));
    pieces.push_back(head_block.slice(0, offset % kBlock));
  }
  pieces.push_back(std::move(data));
  if (tail) {
    CO_TRY(tail_block, co_await block_content(o, end - 1));
    pieces.push_back(tail_block.slice(tail));
  }
  o.unmap(first, end, t.freed);
  uint64_t logical = first;
  for (const auto run : allocate(t, end - first)) {
    std::vector<Bytes> part = take_front(pieces, run.count * kBlock);
    o.map({logical, run.first, block_crcs(part, run.count)});
    logical += run.count;
    start_write(t, run, std::move(part));
  }
  co_return Result<>();
}

Task<Result<>> BlockStore::write_deferred(Txn& t, Onode& o, uint64_t offset, Bytes data) {
  const uint64_t first = offset / kBlock;
  const uint64_t end = (offset + data.size() - 1) / kBlock + 1;
  uint64_t holes = 0;
  for (uint64_t b = first; b < end; b++) holes += !o.find(b);
  std::vector<BlockRun> fresh = allocate(t, holes);
  size_t next = 0;

  for (uint64_t b = first; b < end; b++) {
    const uint64_t from = std::max(offset, b * kBlock);
    const uint64_t to = std::min(offset + data.size(), (b + 1) * kBlock);
    Buffer content(kBlock);
    if (to - from < kBlock) {
      CO_TRY(old, co_await block_content(o, b));
      std::memcpy(content.data(), old.data(), kBlock);
    }
    std::memcpy(content.data() + from % kBlock, data.data() + (from - offset), to - from);
    const MappedRun* run = o.find(b);
    if (run) {
      stage(o, b, run->physical + (b - run->logical), std::move(content));
      continue;
    }
    const uint64_t physical = fresh[next].first++;
    if (--fresh[next].count == 0) next++;
    o.map({b, physical, {0}});
    stage(o, b, physical, std::move(content));
  }
  co_return Result<>();
}

void BlockStore::stage(const Onode& o, uint64_t logical, uint64_t physical, Buffer content) {
  Bytes block = Bytes::take(std::move(content));
  const_cast<Onode&>(o).set_crc(logical, block_crc(block.view()));
  const size_t used = std::min(kBlock, o.size - std::min(o.size, logical * kBlock));
  deferred_.stage(physical, std::move(block), used);
}

Task<Result<>> BlockStore::zero(Txn& t, Onode& o, uint64_t offset, uint64_t length) {
  if (offset >= o.size) co_return Result<>();
  const uint64_t end = offset + std::min(length, o.size - offset);
  const uint64_t first_full = round_up(offset, kBlock) / kBlock;
  const uint64_t end_full = (end == o.size ? round_up(end, kBlock) : end) / kBlock;
  if (first_full < end_full) o.unmap(first_full, end_full, t.freed);
  if (offset % kBlock)
    CO_TRY_VOID(co_await zero_in_block(o, offset, std::min(end, first_full * kBlock)));
  if (end_full >= first_full && end_full * kBlock < end)
    CO_TRY_VOID(co_await zero_in_block(o, end_full * kBlock, end));
  co_return Result<>();
}

Task<Result<>> BlockStore::truncate(Txn& t, Onode& o, uint64_t size) {
  const uint64_t old_size = std::exchange(o.size, size);
  if (size >= old_size) co_return Result<>();
  o.unmap(round_up(size, kBlock) / kBlock, UINT64_MAX, t.freed);
  if (size % kBlock) co_return co_await zero_in_block(o, size, round_up(size, kBlock));
  co_return Result<>();
}

Task<Result<>> BlockStore::zero_in_block(Onode& o, uint64_t from, uint64_t to) {
  const uint64_t b = from / kBlock;
  if (!o.find(b)) co_return Result<>();
  CO_TRY(old, co_await block_content(o, b));
  Buffer content(kBlock);
  std::memcpy(content.data(), old.data(), kBlock);
  std::memset(content.data() + from % kBlock, 0, to - from);
  const MappedRun* run = o.find(b);
  stage(o, b, run->physical + (b - run->logical), std::move(content));
  co_return Result<>();
}

Task<Result<Bytes>> BlockStore::block_content(const Onode& o, uint64_t logical) {
  std::vector<MappedRun> runs = o.mapped(logical, logical + 1);
  if (runs.empty()) co_return Bytes::zeros(kBlock);
  const BlockRun block{runs[0].physical, 1};
  if (const Bytes* newest = deferred_.find(block.first)) co_return *newest;
  // A large write to this block may still be on its way.
  auto busy = [&] {
    return std::any_of(writing_.begin(), writing_.end(),
                       [&](BlockRun w) { return overlap(w, block); });
  };
  while (!failed_ && busy()) co_await prepare_wake_.wait();
  if (failed_) co_return *failed_;
  co_return co_await read_checked(*files_.block, std::move(runs[0]));
}

void BlockStore::start_write(Txn& t, BlockRun run, std::vector<Bytes> pieces) {
  t.writes_left++;
  t.wrote_blocks = true;
  writing_bytes_ += run.count * kBlock;
  writing_.push_back(run);
  tasks_.spawn(run_write(t.shared_from_this(), std::prev(writing_.end()), std::move(pieces)));
}

Task<void> BlockStore::run_write(TxnRef t, std::list<BlockRun>::iterator place,
                                 std::vector<Bytes> pieces) {
  const BlockRun run = *place;
  auto written = co_await files_.block->write(run.first * kBlock, std::move(pieces));
  writing_.erase(place);
  writing_bytes_ -= run.count * kBlock;
  if (!written) fail_all(written.error());
  if (--t->writes_left == 0) commit_wake_.notify_all();
  prepare_wake_.notify_all();
}

// ---- omap ---------------------------------------------------------------------------------------

Task<Result<>> BlockStore::omap_set(Txn& t, Onode& o, const TxnOp& op) {
  if (!o.omap_id) o.omap_id = counters_.next_omap_id++;
  const bool fresh = o.omap_keys == 0;
  for (const auto& [name, value] : op.map) {
    std::string k = key::omap(o.omap_id, name);
    uint64_t old_bytes = 0;
    if (!fresh) {
      CO_TRY(found, co_await omap_bytes(k));
      old_bytes = found;
    }
    o.omap_keys += old_bytes == 0;
    omap_put(t, o, std::move(k), value, old_bytes);
  }
  co_return Result<>();
}

Task<Result<>> BlockStore::omap_set_header(Txn& t, Onode& o, Bytes header) {
  const bool fresh = o.omap_id == 0;
  if (fresh) o.omap_id = counters_.next_omap_id++;
  std::string k = key::omap_header(o.omap_id);
  uint64_t old_bytes = 0;
  if (!fresh) {
    CO_TRY(found, co_await omap_bytes(k));
    old_bytes = found;
  }
  omap_put(t, o, std::move(k), header, old_bytes);
  co_return Result<>();
}

void BlockStore::omap_put(Txn& t, Onode& o, std::string k, const Bytes& value, uint64_t old_bytes) {
  const uint64_t bytes = k.size() + value.size();
  o.omap_bytes += bytes - old_bytes;
  unsettled_omap_[k] = {t.id, bytes};
  t.omap_keys.push_back(k);
  t.batch.put(std::move(k), value.to_string());
}

Task<Result<>> BlockStore::omap_remove(Txn& t, Onode& o, const TxnOp& op) {
  if (!o.omap_id) co_return Result<>();
  for (const auto& [name, unused] : op.map) {
    std::string k = key::omap(o.omap_id, name);
    CO_TRY(old_bytes, co_await omap_bytes(k));
    if (!old_bytes) continue;
    t.batch.erase(k);
    omap_erased(t, o, std::move(k), old_bytes);
  }
  co_return Result<>();
}

void BlockStore::omap_erased(Txn& t, Onode& o, std::string k, uint64_t old_bytes) {
  o.omap_bytes -= old_bytes;
  o.omap_keys--;
  unsettled_omap_[k] = {t.id, 0};
  t.omap_keys.push_back(std::move(k));
}

Task<Result<>> BlockStore::omap_remove_range(Txn& t, Onode& o, std::string from, std::string to) {
  if (!o.omap_id || from >= to) co_return Result<>();
  std::string from_key = key::omap(o.omap_id, from), to_key = key::omap(o.omap_id, to);
  CO_TRY(sizes, co_await omap_sizes(from_key, to_key));
  const bool singly = sizes.size() <= kEraseSingly;
  if (!singly) t.batch.erase_range(std::move(from_key), std::move(to_key));
  for (const auto& [k, bytes] : sizes) {
    if (singly) t.batch.erase(k);
    omap_erased(t, o, k, bytes);
  }
  co_return Result<>();
}

Task<Result<>> BlockStore::omap_clear(Txn& t, Onode& o) {
  if (!o.omap_id) co_return Result<>();
  // The id is never used again, so nobody needs to know of these keys before they are gone.
  std::string from = key::omap_header(o.omap_id), to = key::omap_header(o.omap_id + 1);
  if (o.omap_keys <= kEraseSingly) {
    CO_TRY(sizes, co_await omap_sizes(from, to));
    for (const auto& [k, bytes] : sizes) t.batch.erase(k);
  } else {
    t.batch.erase_range(std::move(from), std::move(to));
  }
  o.omap_id = o.omap_keys = o.omap_bytes = 0;
  co_return Result<>();
}

Task<Result<uint64_t>> BlockStore::omap_bytes(std::string k) {
  if (auto known = unsettled_omap_.find(k); known != unsettled_omap_.end())
    co_return known->second.bytes;
  CO_TRY(value, co_await files_.kv->get(k));
  co_return value ? k.size() + value->size() : 0;
}

Task<Result<BlockStore::Sizes>> BlockStore::omap_sizes(std::string from, std::string to) {
  // What is unsettled now may be settled by the time of the scan; it then says the same.
  Sizes unsettled, out;
  for (auto it = unsettled_omap_.lower_bound(from);
       it != unsettled_omap_.end() && it->first < to; ++it)
    unsettled[it->first] = it->second.bytes;
  for (KvWalk walk(*files_.kv, from, to);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page) out[k] = k.size() + value.size();
  }
  for (const auto& [k, bytes] : unsettled) {
    if (bytes) out[k] = bytes;
    else out.erase(k);
  }
  co_return out;
}

}  // namespace plimsoll::osd
