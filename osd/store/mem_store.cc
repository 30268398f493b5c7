// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/mem_store.h"

#include "common/base/units.h"
#include "common/rt/block_file.h"
#include "common/rt/sync.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kBlock = BlockFile::kBlock;

void erase_range(std::map<std::string, Bytes>& m, const std::string& from, const std::string& to) {
  if (from < to) m.erase(m.lower_bound(from), m.lower_bound(to));
}

}  // namespace

Task<Result<>> MemStore::mount() { co_return Result<>(); }
Task<void> MemStore::umount() { co_return; }

// Not a coroutine: the order of transactions is that of the calls.
Task<Result<>> MemStore::commit(Transaction txn) {
  const uint64_t need = txn.blocks_written();
  if (need && need > options_.size / kBlock - blocks_used_) {
    auto refuse = []() -> Task<Result<>> { co_return fail(ENOSPC, "the store is full"); };
    return refuse();
  }
  for (const auto& op : txn.ops()) apply(op);
  return acknowledge();
}

Task<Result<>> MemStore::acknowledge() {
  if (options_.delay) {
    co_await options_.delay();
    co_return Result<>();
  }
  const Executor executor = co_await boost::asio::this_coro::executor;
  auto turn = std::make_shared<Event>();
  post(executor, [turn] { turn->set(); });
  co_await turn->wait();
  co_return Result<>();
}

void MemStore::apply(const TxnOp& op) {
  switch (op.code) {
    case TxnCode::kCreateCollection:
      collections_[op.pg];
      return;
    case TxnCode::kRemoveCollection:
      if (auto c = collections_.find(op.pg); c != collections_.end()) {
        for (auto& [name, object] : c->second.objects) forget(object);
        collections_.erase(c);
      }
      return;
    case TxnCode::kMetaSet:
      for (const auto& [k, v] : op.map) collections_[op.pg].meta[k] = v;
      return;
    case TxnCode::kMetaRemove:
      if (auto c = collections_.find(op.pg); c != collections_.end())
        for (const auto& [k, v] : op.map) c->second.meta.erase(k);
      return;
    case TxnCode::kMetaRemoveRange:
      if (auto c = collections_.find(op.pg); c != collections_.end())
        erase_range(c->second.meta, op.name, op.name2);
      return;
    case TxnCode::kStoreSet:
      for (const auto& [k, v] : op.map) store_[k] = v;
      return;
    case TxnCode::kStoreRemove:
      for (const auto& [k, v] : op.map) store_.erase(k);
      return;
    default:
      break;
  }
  if (!removes(op.code)) return apply_to_object(op, collections_[op.pg].objects[op.object]);
  auto found = find(op.pg, op.object);
  if (!found) return;
  if (op.code != TxnCode::kRemove) return apply_to_object(op, **found);
  forget(**found);
  collections_[op.pg].objects.erase(op.object);
}

void MemStore::apply_to_object(const TxnOp& op, Object& o) {
  switch (op.code) {
    case TxnCode::kWrite: return write(o, op.offset, op.data);
    case TxnCode::kZero: return zero(o, op.offset, op.length);
    case TxnCode::kTruncate: return truncate(o, op.offset);
    case TxnCode::kSetAttr: o.attrs[op.name] = op.data; return;
    case TxnCode::kRemoveAttr: o.attrs.erase(op.name); return;
    case TxnCode::kClearAttrs: o.attrs.clear(); return;
    case TxnCode::kOmapSet:
      o.has_omap = true;
      for (const auto& [k, v] : op.map) o.omap[k] = v;
      return;
    case TxnCode::kOmapRemove:
      for (const auto& [k, v] : op.map) o.omap.erase(k);
      return;
    case TxnCode::kOmapRemoveRange: return erase_range(o.omap, op.name, op.name2);
    case TxnCode::kOmapClear:
      o.omap.clear();
      o.omap_header = {};
      o.has_omap = false;
      return;
    case TxnCode::kOmapSetHeader:
      o.has_omap = true;
      o.omap_header = op.data;
      return;
    case TxnCode::kAllocHint:
      o.expected_object_size = op.offset;
      o.expected_write_size = op.length;
      return;
    default: return;  // kTouch: being there is all.
  }
}

void MemStore::write(Object& o, uint64_t offset, const Bytes& data) {
  for (size_t done = 0; done < data.size();) {
    const uint64_t at = offset + done;
    auto [block, fresh] = o.blocks.try_emplace(round_down(at, kBlock));
    if (fresh) {
      block->second.assign(kBlock, '\0');
      blocks_used_++;
    }
    const size_t n = std::min<size_t>(data.size() - done, kBlock - at % kBlock);
    std::memcpy(block->second.data() + at % kBlock, data.data() + done, n);
    done += n;
  }
  if (!data.empty()) o.size = std::max(o.size, offset + data.size());
}

void MemStore::zero(Object& o, uint64_t offset, uint64_t length) {
  if (offset >= o.size) return;
  const uint64_t end = offset + std::min(length, o.size - offset);
  for (auto b = o.blocks.lower_bound(round_down(offset, kBlock));
       b != o.blocks.end() && b->first < end;) {
    const uint64_t from = std::max(offset, b->first);
    const uint64_t to = std::min(end, b->first + kBlock);
    // What lies behind the object's end counts as zeroed.
    if (from == b->first && (to == b->first + kBlock || to == o.size)) {
      b = o.blocks.erase(b);
      blocks_used_--;
      continue;
    }
    std::memset(b->second.data() + (from - b->first), 0, to - from);
    ++b;
  }
}

void MemStore::truncate(Object& o, uint64_t size) {
  if (size < o.size) {
    auto first_gone = o.blocks.lower_bound(round_up(size, kBlock));
    for (auto b = first_gone; b != o.blocks.end(); ++b) blocks_used_--;
    o.blocks.erase(first_gone, o.blocks.end());
    if (auto tail = o.blocks.find(round_down(size, kBlock));
        size % kBlock && tail != o.blocks.end())
      std::memset(tail->second.data() + size % kBlock, 0, kBlock - size % kBlock);
  }
  o.size = size;
}

Result<MemStore::Object*> MemStore::find(PgId pg, const HObject& object) {
  auto c = collections_.find(pg);
  if (c == collections_.end()) return fail(ENOENT, "no collection " + pg.to_string());
  auto o = c->second.objects.find(object);
  if (o == c->second.objects.end()) return fail(ENOENT, "no object " + object.to_string());
  return &o->second;
}

// ---- reads --------------------------------------------------------------------------------------

Task<Result<ObjectStat>> MemStore::stat(PgId pg, HObject object) {
  CO_TRY(o, find(pg, object));
  ObjectStat s;
  s.size = o->size;
  s.allocated = o->blocks.size() * kBlock;
  s.expected_object_size = o->expected_object_size;
  s.expected_write_size = o->expected_write_size;
  s.has_omap = o->has_omap;
  co_return s;
}

Task<Result<Bytes>> MemStore::read(PgId pg, HObject object, uint64_t offset, uint64_t length) {
  CO_TRY(o, find(pg, object));
  if (offset >= o->size) co_return Bytes();
  const uint64_t end = offset + std::min(length, o->size - offset);
  Buffer out(end - offset, kBlock);
  std::memset(out.data(), 0, out.size());
  for (auto b = o->blocks.lower_bound(round_down(offset, kBlock));
       b != o->blocks.end() && b->first < end; ++b) {
    const uint64_t from = std::max(offset, b->first);
    const uint64_t to = std::min(end, b->first + kBlock);
    std::memcpy(out.data() + (from - offset), b->second.data() + (from - b->first), to - from);
  }
  co_return Bytes::take(std::move(out));
}

Task<Result<std::vector<Extent>>> MemStore::extents(PgId pg, HObject object, uint64_t offset,
                                                    uint64_t length) {
  CO_TRY(o, find(pg, object));
  std::vector<Extent> out;
  if (offset >= o->size) co_return out;
  const uint64_t end = offset + std::min(length, o->size - offset);
  for (auto b = o->blocks.lower_bound(round_down(offset, kBlock));
       b != o->blocks.end() && b->first < end; ++b) {
    const uint64_t from = std::max(offset, b->first);
    const uint64_t to = std::min(end, b->first + kBlock);
    if (!out.empty() && out.back().offset + out.back().length == from)
      out.back().length += to - from;
    else out.push_back({from, to - from});
  }
  co_return out;
}

Task<Result<Bytes>> MemStore::get_attr(PgId pg, HObject object, std::string name) {
  CO_TRY(o, find(pg, object));
  auto a = o->attrs.find(name);
  if (a == o->attrs.end()) co_return fail(ENODATA, "no attribute " + name);
  co_return a->second;
}

Task<Result<std::map<std::string, Bytes>>> MemStore::get_attrs(PgId pg, HObject object) {
  CO_TRY(o, find(pg, object));
  co_return o->attrs;
}

Task<Result<Bytes>> MemStore::omap_header(PgId pg, HObject object) {
  CO_TRY(o, find(pg, object));
  co_return o->omap_header;
}

Task<Result<OmapPage>> MemStore::omap_page(PgId pg, HObject object,
                                           std::optional<std::string> start_after,
                                           std::string prefix, uint64_t max_entries,
                                           uint64_t max_bytes) {
  CO_TRY(o, find(pg, object));
  OmapPage page;
  uint64_t bytes = 0;
  auto k = o->omap.lower_bound(prefix);
  if (start_after && *start_after >= prefix) k = o->omap.upper_bound(*start_after);
  for (; k != o->omap.end() && k->first.starts_with(prefix); ++k) {
    bytes += k->first.size() + k->second.size();
    page.more = !page.pairs.empty() && (page.pairs.size() >= max_entries || bytes > max_bytes);
    if (page.more) break;
    page.pairs.emplace_back(k->first, k->second);
  }
  co_return page;
}

Task<Result<std::map<std::string, Bytes>>> MemStore::omap_get(PgId pg, HObject object,
                                                              std::set<std::string> keys) {
  CO_TRY(o, find(pg, object));
  std::map<std::string, Bytes> out;
  for (const auto& key : keys)
    if (auto k = o->omap.find(key); k != o->omap.end()) out.insert(*k);
  co_return out;
}

Task<Result<std::vector<PgId>>> MemStore::list_collections() {
  std::vector<PgId> out;
  for (const auto& [pg, c] : collections_) out.push_back(pg);
  co_return out;
}

Task<Result<std::vector<HObject>>> MemStore::list(PgId pg, HObject from, HObject to, size_t max) {
  std::vector<HObject> out;
  auto c = collections_.find(pg);
  if (c == collections_.end()) co_return out;
  const auto& objects = c->second.objects;
  for (auto o = objects.lower_bound(from); o != objects.end() && o->first < to && out.size() < max;
       ++o)
    out.push_back(o->first);
  co_return out;
}

Task<Result<std::optional<Bytes>>> MemStore::meta_get(PgId pg, std::string key) {
  std::optional<Bytes> out;
  if (auto c = collections_.find(pg); c != collections_.end())
    if (auto m = c->second.meta.find(key); m != c->second.meta.end()) out = m->second;
  co_return out;
}

Task<Result<std::vector<std::pair<std::string, Bytes>>>> MemStore::meta_scan(PgId pg,
                                                                             std::string from,
                                                                             std::string to,
                                                                             size_t max) {
  std::vector<std::pair<std::string, Bytes>> out;
  auto c = collections_.find(pg);
  if (c == collections_.end()) co_return out;
  for (auto m = c->second.meta.lower_bound(from);
       m != c->second.meta.end() && (to.empty() || m->first < to) && out.size() < max; ++m)
    out.emplace_back(m->first, m->second);
  co_return out;
}

Task<Result<std::optional<Bytes>>> MemStore::store_get(std::string key) {
  std::optional<Bytes> out;
  if (auto s = store_.find(key); s != store_.end()) out = s->second;
  co_return out;
}

StoreStatfs MemStore::statfs() const {
  StoreStatfs s;
  s.total = options_.size;
  s.allocated = blocks_used_ * kBlock;
  s.available = s.total - s.allocated;
  for (const auto& [pg, part] : collection_statfs()) {
    s.data_stored += part.data_stored;
    s.omap_allocated += part.omap_allocated;
  }
  return s;
}

std::map<PgId, StoreStatfs> MemStore::collection_statfs() const {
  std::map<PgId, StoreStatfs> out;
  for (const auto& [pg, c] : collections_) {
    StoreStatfs& s = out[pg];
    for (const auto& [name, o] : c.objects) {
      s.allocated += o.blocks.size() * kBlock;
      s.data_stored += o.blocks.size() * kBlock;
      if (o.size % kBlock && o.blocks.contains(round_down(o.size, kBlock)))
        s.data_stored -= kBlock - o.size % kBlock;
      for (const auto& [k, v] : o.omap) s.omap_allocated += k.size() + v.size();
    }
  }
  return out;
}

}  // namespace plimsoll::osd
