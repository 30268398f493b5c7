// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/test_model.h"

#include <fmt/format.h>

#include "common/base/hash.h"
#include "common/base/units.h"
#include "common/rt/block_file.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kBlock = BlockFile::kBlock;

void erase_range(std::map<std::string, Bytes>& m, const std::string& from, const std::string& to) {
  std::erase_if(m, [&](const auto& kv) { return from <= kv.first && kv.first < to; });
}

void write(ModelObject& o, uint64_t offset, std::string_view data) {
  if (data.empty()) return;
  if (o.data.size() < offset + data.size()) o.data.resize(offset + data.size());
  o.data.replace(offset, data.size(), data);
  for (uint64_t b = offset / kBlock; b * kBlock < offset + data.size(); b++) o.blocks.insert(b);
}

void zero(ModelObject& o, uint64_t offset, uint64_t length) {
  if (offset >= o.data.size()) return;
  const uint64_t end = offset + std::min<uint64_t>(length, o.data.size() - offset);
  std::fill(o.data.begin() + static_cast<ptrdiff_t>(offset),
            o.data.begin() + static_cast<ptrdiff_t>(end), '\0');
  std::erase_if(o.blocks, [&](uint64_t b) {
    return b * kBlock >= offset && std::min<uint64_t>((b + 1) * kBlock, o.data.size()) <= end;
  });
}

void apply_to(ModelObject& o, const TxnOp& op) {
  switch (op.code) {
    case TxnCode::kWrite: write(o, op.offset, op.data.view()); break;
    case TxnCode::kZero: zero(o, op.offset, op.length); break;
    case TxnCode::kTruncate:
      o.data.resize(op.offset);
      std::erase_if(o.blocks, [&](uint64_t b) { return b * kBlock >= op.offset; });
      break;
    case TxnCode::kSetAttr: o.attrs[op.name] = op.data; break;
    case TxnCode::kRemoveAttr: o.attrs.erase(op.name); break;
    case TxnCode::kClearAttrs: o.attrs.clear(); break;
    case TxnCode::kOmapSet:
      o.has_omap = true;
      for (const auto& [k, v] : op.map) o.omap[k] = v;
      break;
    case TxnCode::kOmapRemove:
      for (const auto& [k, v] : op.map) o.omap.erase(k);
      break;
    case TxnCode::kOmapRemoveRange: erase_range(o.omap, op.name, op.name2); break;
    case TxnCode::kOmapClear:
      o.omap.clear();
      o.omap_header = {};
      o.has_omap = false;
      break;
    case TxnCode::kOmapSetHeader:
      o.has_omap = true;
      o.omap_header = op.data;
      break;
    case TxnCode::kAllocHint:
      o.expected_object_size = op.offset;
      o.expected_write_size = op.length;
      break;
    default: break;
  }
}

std::string short_text(Rng& rng, std::string_view stem, uint64_t choices) {
  return std::string(stem) + std::to_string(rng.below(choices));
}

std::map<std::string, Bytes> random_pairs(Rng& rng, std::string_view stem, uint64_t choices) {
  std::map<std::string, Bytes> out;
  if (rng.chance(0.5)) choices /= 20;
  // Now and then more than are erased one by one.
  for (uint64_t n = rng.chance(0.1) ? 100 : rng.below(5); n; n--)
    out[short_text(rng, stem, choices)] = random_bytes(rng, rng.below(40));
  return out;
}

uint64_t random_position(Rng& rng, uint64_t max) {
  const uint64_t v = rng.below(max);
  return rng.chance(0.5) ? round_down(v, kBlock) : v;
}

}  // namespace

void Model::apply(const Transaction& txn) {
  for (const auto& op : txn.ops()) {
    switch (op.code) {
      case TxnCode::kCreateCollection: collections[op.pg]; break;
      case TxnCode::kRemoveCollection: collections.erase(op.pg); break;
      case TxnCode::kMetaSet:
        for (const auto& [k, v] : op.map) collections[op.pg].meta[k] = v;
        collections[op.pg];
        break;
      case TxnCode::kMetaRemove:
        if (collections.contains(op.pg))
          for (const auto& [k, v] : op.map) collections[op.pg].meta.erase(k);
        break;
      case TxnCode::kMetaRemoveRange:
        if (collections.contains(op.pg)) erase_range(collections[op.pg].meta, op.name, op.name2);
        break;
      case TxnCode::kStoreSet:
        for (const auto& [k, v] : op.map) store[k] = v;
        break;
      case TxnCode::kStoreRemove:
        for (const auto& [k, v] : op.map) store.erase(k);
        break;
      default: {
        const bool exists =
            collections.contains(op.pg) && collections[op.pg].objects.contains(op.object);
        if (removes(op.code) && !exists) break;
        if (op.code == TxnCode::kRemove) collections[op.pg].objects.erase(op.object);
        else apply_to(collections[op.pg].objects[op.object], op);
      }
    }
  }
}

HObject test_object(PgId pg, uint64_t n) {
  static const std::string_view names[] = {"a", "ab", "a\xff", "b", "nul", "rbd_data.1"};
  HObject h;
  h.pool = pg.pool;
  h.oid = names[n % std::size(names)];
  if (n % 6 == 4) h.oid = std::string("a\0b", 3);
  if (n >= std::size(names)) h.oid += "." + std::to_string(n);
  if (n % 3 == 1) h.nspace = "space";
  if (n % 4 == 2) h.key = "locator";
  h.hash = rjenkins_str(h.key.empty() ? h.oid : h.key);
  h.snap = kSnapHead;
  return h;
}

Bytes random_bytes(Rng& rng, size_t size) {
  Buffer out(size);
  for (size_t i = 0; i < size; i += 8) {
    const uint64_t v = rng.next();
    std::memcpy(out.data() + i, &v, std::min<size_t>(8, size - i));
  }
  return Bytes::take(std::move(out));
}

Transaction random_transaction(Rng& rng, const MixOptions& mix) {
  Transaction t;
  for (uint64_t n = 1 + rng.below(4); n; n--) {
    const PgId pg{1, static_cast<uint32_t>(rng.below(mix.pgs))};
    const HObject o = test_object(pg, rng.below(mix.objects));
    const uint64_t at = random_position(rng, mix.max_offset);
    switch (rng.below(26)) {
      case 0: t.create_collection(pg); break;
      case 1:
        if (rng.chance(mix.remove_collection)) t.remove_collection(pg);
        break;
      case 2: t.touch(pg, o); break;
      case 3: case 4: case 5: case 6:
        t.write(pg, o, at, random_bytes(rng, rng.below(9000)));
        break;
      case 7: case 8:
        t.write(pg, o, kBlock * rng.below(3), random_bytes(rng, kBlock));
        break;
      case 9: case 10:
        t.write(pg, o, at, random_bytes(rng, (33 << 10) + rng.below(mix.max_write - (33 << 10))));
        break;
      case 11: t.zero(pg, o, at, random_position(rng, mix.max_write)); break;
      case 12: t.truncate(pg, o, at); break;
      case 13: t.remove(pg, o); break;
      case 14:
      case 15:
        t.set_attr(pg, o, short_text(rng, "attr", 3), random_bytes(rng, rng.below(300)));
        break;
      case 16: t.remove_attr(pg, o, short_text(rng, "attr", 3)); break;
      case 17: if (rng.chance(0.3)) t.clear_attrs(pg, o); break;
      case 18: case 19: t.omap_set(pg, o, random_pairs(rng, "key", 200)); break;
      case 20: t.omap_remove(pg, o, random_pairs(rng, "key", 200)); break;
      case 21:
        t.omap_remove_range(pg, o, short_text(rng, "key", 200), short_text(rng, "key", 200));
        break;
      case 22:
        if (rng.chance(0.3)) t.omap_clear(pg, o);
        else t.omap_set_header(pg, o, random_bytes(rng, rng.below(50)));
        break;
      case 23: t.alloc_hint(pg, o, rng.below(1 << 22), rng.below(1 << 22)); break;
      case 24: t.meta_set(pg, random_pairs(rng, "log", 50)); break;
      default:
        if (rng.chance(0.5)) t.meta_remove(pg, random_pairs(rng, "log", 50));
        else t.meta_remove_range(pg, short_text(rng, "log", 50), short_text(rng, "log", 50));
    }
  }
  return t;
}

namespace {

Task<Result<ModelObject>> read_object(ObjectStore& store, PgId pg, HObject name) {
  ModelObject o;
  CO_TRY(stat, co_await store.stat(pg, name));
  o.has_omap = stat.has_omap;
  o.expected_object_size = stat.expected_object_size;
  o.expected_write_size = stat.expected_write_size;
  CO_TRY(data, co_await store.read(pg, name, 0, UINT64_MAX));
  o.data = data.to_string();
  // A tail that was truncated up has a size but no bytes; read() gives them as zeros.
  if (o.data.size() != stat.size) co_return fail(EPROTO, "read and stat differ in size");
  CO_TRY(extents, co_await store.extents(pg, name, 0, UINT64_MAX));
  for (const auto& e : extents)
    for (uint64_t b = e.offset / kBlock; b * kBlock < e.offset + e.length; b++) o.blocks.insert(b);
  if (o.blocks.size() * kBlock != stat.allocated) co_return fail(EPROTO, "extents and stat differ");
  CO_TRY(attrs, co_await store.get_attrs(pg, name));
  o.attrs = attrs;
  CO_TRY(header, co_await store.omap_header(pg, name));
  o.omap_header = header;
  std::optional<std::string> after;
  for (;;) {
    CO_TRY(page, co_await store.omap_page(pg, name, after, "", 7, 100));
    for (auto& [k, v] : page.pairs) o.omap[k] = v;
    if (!page.more) break;
    after = page.pairs.back().first;
  }
  co_return o;
}

}  // namespace

Task<Result<Model>> read_all(ObjectStore& store, std::set<std::string> store_keys) {
  Model m;
  CO_TRY(pgs, co_await store.list_collections());
  for (const auto pg : pgs) {
    auto& c = m.collections[pg];
    HObject from;
    for (;;) {
      const HObject end = HObject::max();
      CO_TRY(names, co_await store.list(pg, from, end, 3));
      if (names.empty()) break;
      for (const auto& name : names) {
        CO_TRY(object, co_await read_object(store, pg, name));
        c.objects.emplace(name, std::move(object));
      }
      from = names.back();
      from.snap++;
    }
    CO_TRY(meta, co_await store.meta_scan(pg, "", "", 1000));
    c.meta.insert(meta.begin(), meta.end());
  }
  for (const auto& k : store_keys) {
    CO_TRY(value, co_await store.store_get(k));
    if (value) m.store[k] = *value;
  }
  co_return m;
}

Task<std::string> compare_object(ObjectStore& store, PgId pg, HObject name, const ModelObject* want,
                                 Rng& rng) {
  auto stat = co_await store.stat(pg, name);
  if (!want) co_return stat ? "exists: " + name.to_string()
                            : stat.error().code() == ENOENT ? "" : stat.error().to_string();
  auto got = co_await read_object(store, pg, name);
  if (!got) co_return name.to_string() + ": " + got.error().to_string();
  if (!(*got == *want)) co_return name.to_string() + " differs";
  const uint64_t offset = rng.below(200 << 10), length = rng.below(100 << 10);
  auto part = co_await store.read(pg, name, offset, length);
  if (!part) co_return part.error().to_string();
  const std::string_view all(want->data);
  if (part->view() != all.substr(std::min<size_t>(offset, all.size()), length))
    co_return fmt::format("{}: read of {} at {} differs", name.to_string(), length, offset);
  std::set<std::string> keys;
  keys.insert("key1");
  keys.insert("key77");
  keys.insert("none");
  auto some = co_await store.omap_get(pg, name, keys);
  for (const auto& k : keys) {
    const bool has = some && some->contains(k);
    if (has != want->omap.contains(k) || (has && some->at(k) != want->omap.at(k)))
      co_return "omap_get: " + k;
  }
  auto page = co_await store.omap_page(pg, name, std::nullopt, "key1", 1000, 1 << 20);
  if (!page) co_return page.error().to_string();
  size_t with_prefix = 0;
  for (const auto& [k, v] : want->omap) with_prefix += k.starts_with("key1");
  if (page->more || page->pairs.size() != with_prefix) co_return "omap_page with a prefix";
  co_return "";
}

std::string difference(const Model& got, const Model& want) {
  if (got.store != want.store) return "OSD keys";
  for (const auto& [pg, c] : want.collections) {
    auto g = got.collections.find(pg);
    if (g == got.collections.end()) return "no collection " + pg.to_string();
    if (g->second.meta != c.meta) return "meta of " + pg.to_string();
    for (const auto& [name, object] : c.objects) {
      auto go = g->second.objects.find(name);
      if (go == g->second.objects.end()) return "no object " + name.to_string();
      const auto& o = go->second;
      if (o.data != object.data) {
        size_t at = 0;
        while (at < std::min(o.data.size(), object.data.size()) && o.data[at] == object.data[at])
          at++;
        return fmt::format("data of {}: {} bytes, want {}, differ at {}", name.to_string(),
                           o.data.size(), object.data.size(), at);
      }
      if (o.blocks != object.blocks) return "extents of " + name.to_string();
      if (o.attrs != object.attrs) return "attrs of " + name.to_string();
      if (o.omap != object.omap) return "omap of " + name.to_string();
      if (!(o == object)) return "hints or header of " + name.to_string();
    }
    if (g->second.objects.size() != c.objects.size()) return "extra objects in " + pg.to_string();
  }
  if (got.collections.size() != want.collections.size()) return "extra collections";
  return "";
}

std::string usage_difference(const ObjectStore& store, const Model& want) {
  const std::map<PgId, StoreStatfs> got = store.collection_statfs();
  if (got.size() != want.collections.size())
    return fmt::format("usage of {} collections, want {}", got.size(), want.collections.size());
  StoreStatfs sum;
  for (const auto& [pg, c] : want.collections) {
    if (!got.contains(pg)) return "no usage of " + pg.to_string();
    const StoreStatfs& s = got.at(pg);
    uint64_t blocks = 0, stored = 0;
    for (const auto& [name, o] : c.objects)
      for (const uint64_t b : o.blocks) {
        blocks++;
        stored += std::min<uint64_t>(kBlock, o.data.size() - b * kBlock);
      }
    if (s.allocated != blocks * kBlock || s.data_stored != stored)
      return fmt::format("{} has {} allocated with {} stored, want {} with {}", pg.to_string(),
                         s.allocated, s.data_stored, blocks * kBlock, stored);
    sum.allocated += s.allocated;
    sum.data_stored += s.data_stored;
    sum.omap_allocated += s.omap_allocated;
    sum.internal_metadata += s.internal_metadata;
  }
  const StoreStatfs all = store.statfs();
  if (all.internal_metadata)
    for (const auto& [k, v] : want.store) sum.internal_metadata += 1 + k.size() + v.size();
  const auto text = [](const StoreStatfs& s) {
    return fmt::format("{} allocated, {} stored, {} of omap, {} of metadata", s.allocated,
                       s.data_stored, s.omap_allocated, s.internal_metadata);
  };
  return text(sum) == text(all) ? "" : text(sum) + ", the store has " + text(all);
}

}  // namespace plimsoll::osd
