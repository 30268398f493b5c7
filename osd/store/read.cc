// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore's reading side: onodes through the cache, bytes from deferred writes or the block
// file, all else from the key-value store.
#include "osd/store/block_store.h"
#include "osd/store/checked_read.h"

namespace plimsoll::osd {

// ---- onodes -------------------------------------------------------------------------------------

Task<Result<OnodeRef>> BlockStore::find(PgId pg, const HObject& object) {
  std::string k = key::onode(pg, object);
  if (auto known = cache_.find(k)) co_return known;
  co_return co_await load_onode(pg, std::move(k));
}

Task<Result<OnodeRef>> BlockStore::load_onode(PgId pg, std::string k) {
  // One load of a key at a time, and none across the removal of its collection: what is read here
  // must not be older than what the cache was told meanwhile.
  for (;;) {
    if (auto known = cache_.find(k)) co_return known;
    if (auto other = loading_->find(k); other != loading_->end()) {
      const std::shared_ptr<Event> done = other->second;
      co_await done->wait();
      continue;
    }
    auto o = std::make_shared<CachedOnode>();
    o->key = k;
    if (removed_.contains(pg)) {
      cache_.insert(o);
      co_return o;
    }
    struct Mine {
      std::shared_ptr<Loading> loading;
      const std::string& k;
      std::shared_ptr<Event> done = std::make_shared<Event>();
      ~Mine() {
        loading->erase(k);
        done->set();
      }
    } mine{loading_, k};
    loading_->emplace(k, mine.done);
    const uint64_t removals = removals_;
    CO_TRY(value, co_await files_.kv->get(k));
    if (removals != removals_) continue;
    if (value) {
      o->exists = true;
      o->kv_bytes = k.size() + value->size();
      ByteReader r(Bytes::take(std::move(*value)));
      decode(o->onode, r);
      if (!r.ok()) co_return fail(EIO, std::string("damaged onode: ") + r.error());
    }
    cache_.insert(o);
    co_return o;
  }
}

Task<Result<OnodeRef>> BlockStore::find_existing(PgId pg, const HObject& object) {
  CO_TRY(o, co_await find(pg, object));
  if (!o->exists) co_return fail(ENOENT, "no such object");
  co_return o;
}

Task<Result<ObjectStat>> BlockStore::stat(PgId pg, HObject object) {
  CO_TRY(o, co_await find_existing(pg, object));
  ObjectStat s;
  s.size = o->onode.size;
  s.allocated = o->onode.mapped_blocks() * kBlock;
  s.expected_object_size = o->onode.expected_object_size;
  s.expected_write_size = o->onode.expected_write_size;
  s.has_omap = o->onode.omap_id != 0;
  co_return s;
}

Task<Result<Bytes>> BlockStore::get_attr(PgId pg, HObject object, std::string name) {
  CO_TRY(o, co_await find_existing(pg, object));
  auto a = o->onode.attrs.find(name);
  if (a == o->onode.attrs.end()) co_return fail(ENODATA, "no attribute " + name);
  co_return a->second;
}

Task<Result<std::map<std::string, Bytes>>> BlockStore::get_attrs(PgId pg, HObject object) {
  CO_TRY(o, co_await find_existing(pg, object));
  co_return o->onode.attrs;
}

// ---- bytes --------------------------------------------------------------------------------------

Task<Result<Bytes>> BlockStore::read(PgId pg, HObject object, uint64_t offset, uint64_t length) {
  CO_TRY(o, co_await find_existing(pg, object));
  if (offset >= o->onode.size || !length) co_return Bytes();
  const uint64_t end = offset + std::min(length, o->onode.size - offset);
  const uint64_t first = offset / kBlock;
  const uint64_t blocks = (end - 1) / kBlock + 1 - first;
  const std::vector<MappedRun> runs = o->onode.mapped(first, first + blocks);

  const bool whole = runs.size() == 1 && runs[0].count() == blocks;
  if (whole && !deferred_.any({runs[0].physical, blocks})) {
    auto data = co_await read_checked(*files_.block, runs[0]);
    if (!data) co_return fail(EIO, object.to_string() + ": " + data.error().text());
    co_return data->slice(offset % kBlock, end - offset);
  }
  Buffer out(blocks * kBlock, kBlock);
  std::memset(out.data(), 0, out.size());
  for (const auto& run : runs) {
    auto into = out.span().subspan((run.logical - first) * kBlock, run.count() * kBlock);
    CO_TRY_VOID(co_await read_run(run, object, into));
  }
  co_return Bytes::take(std::move(out)).slice(offset % kBlock, end - offset);
}

Task<Result<>> BlockStore::read_run(const MappedRun& run, const HObject& object,
                                    std::span<uint8_t> into) {
  for (uint64_t at = 0; at < run.count();) {
    if (const Bytes* newest = deferred_.find(run.physical + at)) {
      std::memcpy(into.data() + at * kBlock, newest->data(), kBlock);
      at++;
      continue;
    }
    MappedRun part{run.logical + at, run.physical + at, {}};
    while (at < run.count() && !deferred_.find(run.physical + at))
      part.crcs.push_back(run.crcs[at++]);
    const uint64_t to = (part.logical - run.logical) * kBlock;
    auto data = co_await read_checked(*files_.block, std::move(part));
    if (!data) co_return fail(EIO, object.to_string() + ": " + data.error().text());
    std::memcpy(into.data() + to, data->data(), data->size());
  }
  co_return Result<>();
}

Task<Result<std::vector<Extent>>> BlockStore::extents(PgId pg, HObject object, uint64_t offset,
                                                      uint64_t length) {
  CO_TRY(o, co_await find_existing(pg, object));
  std::vector<Extent> out;
  if (offset >= o->onode.size || !length) co_return out;
  const uint64_t end = offset + std::min(length, o->onode.size - offset);
  for (const auto& run : o->onode.mapped(offset / kBlock, (end - 1) / kBlock + 1)) {
    const uint64_t from = std::max(offset, run.logical * kBlock);
    const uint64_t to = std::min(end, run.end() * kBlock);
    if (!out.empty() && out.back().offset + out.back().length == from)
      out.back().length += to - from;
    else out.push_back({from, to - from});
  }
  co_return out;
}

// ---- omap ---------------------------------------------------------------------------------------

Task<Result<Bytes>> BlockStore::omap_header(PgId pg, HObject object) {
  CO_TRY(o, co_await find_existing(pg, object));
  if (!o->onode.omap_id) co_return Bytes();
  if (o->pins) CO_TRY_VOID(co_await settle());
  CO_TRY(value, co_await files_.kv->get(key::omap_header(o->onode.omap_id)));
  co_return value ? Bytes::take(std::move(*value)) : Bytes();
}

Task<Result<OmapPage>> BlockStore::omap_page(PgId pg, HObject object,
                                             std::optional<std::string> start_after,
                                             std::string prefix, uint64_t max_entries,
                                             uint64_t max_bytes) {
  CO_TRY(o, co_await find_existing(pg, object));
  OmapPage page;
  const uint64_t id = o->onode.omap_id;
  if (!id) co_return page;
  if (o->pins) CO_TRY_VOID(co_await settle());
  std::string from = key::omap(id, prefix);
  const size_t name_at = key::omap(id, {}).size();
  const std::string to = key::after_prefix(from);
  if (start_after) from = std::max(from, key::omap(id, *start_after + '\0'));
  const size_t want = std::max<size_t>(1, std::min<uint64_t>(max_entries, 1 << 20));
  uint64_t bytes = 0;
  for (;;) {
    CO_TRY(pairs, co_await files_.kv->scan(from, to, want + 1 - page.pairs.size(), max_bytes));
    if (pairs.empty()) co_return page;
    from = pairs.back().first + '\0';
    for (auto& [k, value] : pairs) {
      bytes += k.size() - name_at + value.size();
      page.more = !page.pairs.empty() && (page.pairs.size() >= want || bytes > max_bytes);
      if (page.more) co_return page;
      page.pairs.emplace_back(k.substr(name_at), Bytes::take(std::move(value)));
    }
  }
}

Task<Result<std::map<std::string, Bytes>>> BlockStore::omap_get(PgId pg, HObject object,
                                                                std::set<std::string> keys) {
  CO_TRY(o, co_await find_existing(pg, object));
  std::map<std::string, Bytes> out;
  const uint64_t id = o->onode.omap_id;
  if (!id) co_return out;
  if (o->pins) CO_TRY_VOID(co_await settle());
  for (const auto& name : keys) {
    CO_TRY(value, co_await files_.kv->get(key::omap(id, name)));
    if (value) out.emplace(name, Bytes::take(std::move(*value)));
  }
  co_return out;
}

// ---- collections and keys -----------------------------------------------------------------------

Task<Result<std::vector<PgId>>> BlockStore::list_collections() {
  co_return std::vector<PgId>(collections_.begin(), collections_.end());
}

Task<Result<std::vector<HObject>>> BlockStore::list(PgId pg, HObject from, HObject to, size_t max) {
  CO_TRY_VOID(co_await settle());
  std::vector<HObject> out;
  std::string at = key::onode(pg, from);
  const std::string end = key::onode(pg, to);
  while (out.size() < max && at < end) {
    CO_TRY(page, co_await files_.kv->scan(at, end, max - out.size()));
    if (page.empty()) break;
    for (const auto& [k, value] : page) {
      auto parsed = key::parse_onode(k);
      if (!parsed) co_return fail(EIO, "malformed object key in " + pg.to_string());
      out.push_back(std::move(parsed->second));
    }
    at = page.back().first + '\0';
  }
  co_return out;
}

Task<Result<std::optional<Bytes>>> BlockStore::meta_get(PgId pg, std::string name) {
  CO_TRY_VOID(co_await settle());
  CO_TRY(value, co_await files_.kv->get(key::pg_meta(pg, name)));
  std::optional<Bytes> out;
  if (value) out = Bytes::take(std::move(*value));
  co_return out;
}

Task<Result<std::vector<std::pair<std::string, Bytes>>>> BlockStore::meta_scan(PgId pg,
                                                                               std::string from,
                                                                               std::string to,
                                                                               size_t max) {
  CO_TRY_VOID(co_await settle());
  std::vector<std::pair<std::string, Bytes>> out;
  const std::string all = key::pg_meta(pg, {});
  std::string at = all + from;
  const std::string end = to.empty() ? key::after_prefix(all) : all + to;
  while (out.size() < max && at < end) {
    CO_TRY(page, co_await files_.kv->scan(at, end, max - out.size()));
    if (page.empty()) break;
    at = page.back().first + '\0';
    for (auto& [k, value] : page)
      out.emplace_back(k.substr(all.size()), Bytes::take(std::move(value)));
  }
  co_return out;
}

Task<Result<std::optional<Bytes>>> BlockStore::store_get(std::string name) {
  CO_TRY_VOID(co_await settle());
  CO_TRY(value, co_await files_.kv->get(key::store(name)));
  std::optional<Bytes> out;
  if (value) out = Bytes::take(std::move(*value));
  co_return out;
}

std::map<PgId, StoreStatfs> BlockStore::collection_statfs() const {
  std::map<PgId, StoreStatfs> out;
  for (const auto& [pg, usage] : usage_) {
    StoreStatfs s;
    s.allocated = usage.allocated_blocks * kBlock;
    s.data_stored = usage.data_stored;
    s.omap_allocated = usage.omap_bytes;
    s.internal_metadata = usage.meta_bytes;
    out.emplace_hint(out.end(), pg, s);
  }
  return out;
}

StoreStatfs BlockStore::statfs() const {
  StoreStatfs s;
  if (!allocator_) return s;
  s.total = files_.superblock.device_size;
  s.internally_reserved = kReservedBlocks * kBlock;
  s.available = (allocator_->free() - reserved_blocks_) * kBlock;
  s.allocated = counters_.allocated_blocks * kBlock;
  s.data_stored = counters_.data_stored;
  s.omap_allocated = counters_.omap_bytes;
  s.internal_metadata = counters_.meta_bytes;
  return s;
}

}  // namespace plimsoll::osd
