// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/dump.h"

#include "common/wire/dump.h"
#include "osd/store/checked_read.h"
#include "osd/store/kv_walk.h"
#include "osd/store/replay.h"
#include "osd/store/summary.h"

namespace plimsoll::osd {

namespace {

namespace json = boost::json;

constexpr uint64_t kReadBlocks = 256;

Task<Result<>> dump_bytes(BlockFile& file, const Onode& o, json::object& out) {
  DataDigest digest;
  json::array runs;
  for (const auto& run : o.runs) {
    json::object r;
    r["offset"] = run.logical * kBlock;
    r["length"] = run.count() * kBlock;
    r["physical"] = run.physical * kBlock;
    runs.push_back(std::move(r));
    for (uint64_t b = run.logical; b < run.end(); b += kReadBlocks) {
      auto parts = o.mapped(b, std::min(b + kReadBlocks, run.end()));
      auto data = co_await read_checked(file, std::move(parts[0]));
      if (!data) {
        out["error"] = data.error().text();
        co_return Result<>();
      }
      digest.add(b * kBlock, data->view().substr(0, o.size - std::min(o.size, b * kBlock)));
    }
  }
  digest.end(o.size);
  out["extents"] = std::move(runs);
  out["data_crc"] = digest.crc();
  co_return Result<>();
}

Task<Result<>> dump_omap(Kv& kv, uint64_t id, json::object& out) {
  CO_TRY(header, co_await kv.get(key::omap_header(id)));
  PairsDigest digest;
  const std::string prefix = key::omap(id, {});
  for (KvWalk walk(kv, prefix);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page)
      digest.add(std::string_view(k).substr(prefix.size()), value);
  }
  json::object omap;
  omap["id"] = id;
  omap["keys"] = digest.count();
  omap["crc"] = digest.crc();
  omap["header"] = value_summary(header.value_or(""));
  out["omap"] = std::move(omap);
  co_return Result<>();
}

Task<Result<json::value>> dump_object(StoreFiles& files, std::string k, std::string value) {
  json::object out;
  auto parsed = key::parse_onode(k);
  Onode o;
  ByteReader r(Bytes::take(std::move(value)));
  decode(o, r);
  if (!parsed || !r.ok()) {
    out["error"] = "damaged onode";
    co_return json::value(std::move(out));
  }
  out = object_name(parsed->second);
  out["size"] = o.size;
  out["allocated"] = o.mapped_blocks() * kBlock;
  out["expected_object_size"] = o.expected_object_size;
  out["expected_write_size"] = o.expected_write_size;
  PairsDigest digest;
  json::object attrs;
  for (const auto& [name, v] : o.attrs) {
    attrs[printable(name)] = value_summary(v.view());
    digest.add(name, v.view());
  }
  out["attrs"] = std::move(attrs);
  out["attrs_crc"] = digest.crc();
  CO_TRY_VOID(co_await dump_bytes(*files.block, o, out));
  if (o.omap_id) CO_TRY_VOID(co_await dump_omap(*files.kv, o.omap_id, out));
  co_return json::value(std::move(out));
}

Task<Result<json::value>> dump_collection(StoreFiles& files, PgId pg) {
  json::array objects;
  for (KvWalk walk(*files.kv, key::onode_prefix(pg));;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (auto& [k, value] : page) {
      CO_TRY(object, co_await dump_object(files, std::move(k), std::move(value)));
      objects.push_back(std::move(object));
    }
  }
  json::object meta;
  const std::string prefix = key::pg_meta(pg, {});
  for (KvWalk walk(*files.kv, prefix);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page)
      meta[printable(k.substr(prefix.size()))] = value_summary(value);
  }
  json::object out;
  out["pgid"] = pg.to_string();
  out["objects"] = std::move(objects);
  out["meta"] = std::move(meta);
  co_return json::value(std::move(out));
}

Task<Result<json::value>> dump_store(StoreFiles& files, std::optional<PgId> only) {
  CO_TRY_VOID(co_await replay(files));
  json::object out;
  out["superblock"] = wire::dump(files.superblock);
  CO_TRY(counters, co_await files.kv->get(std::string(key::kCounters)));
  CO_TRY(decoded, wire::from_bytes<Counters>(Bytes::take(counters.value_or("")), "counters"));
  out["counters"] = wire::dump(decoded);
  json::object store;
  for (KvWalk walk(*files.kv, key::kStore);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page) store[printable(k.substr(1))] = value_summary(value);
  }
  out["store"] = std::move(store);
  json::array collections;
  for (KvWalk walk(*files.kv, key::kCollection);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page) {
      auto pg = key::parse_collection(k);
      if (!pg || (only && *pg != *only)) continue;
      CO_TRY(collection, co_await dump_collection(files, *pg));
      collections.push_back(std::move(collection));
    }
  }
  out["collections"] = std::move(collections);
  co_return json::value(std::move(out));
}

}  // namespace

Task<Result<json::value>> dump(Runtime& rt, std::string path, std::optional<PgId> pg) {
  const StoreOwner anybody;
  const KvOptions kv_options;
  CO_TRY(files, co_await open_files(rt, path, anybody, kv_options, Access::kRead));
  auto out = co_await dump_store(files, pg);
  co_await files.kv->close();
  co_return out;
}

}  // namespace plimsoll::osd
