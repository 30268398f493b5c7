// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/dump.h"

#include <fmt/format.h>

#include "common/base/crc32c.h"
#include "common/wire/dump.h"
#include "osd/store/checked_read.h"
#include "osd/store/kv_walk.h"
#include "osd/store/replay.h"

namespace plimsoll::osd {

namespace {

namespace json = boost::json;

constexpr size_t kShown = 64;
constexpr uint64_t kReadBlocks = 256;

/// Names may hold any byte; JSON texts may not.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c < 0x7f && c != '\\') out += c;
    else out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
  return out;
}

std::string hex(std::string_view data) {
  std::string out;
  for (const char c : data) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

json::object value_summary(std::string_view value) {
  json::object out;
  out["length"] = value.size();
  out["crc"] = crc32c(0xffffffff, value);
  if (value.size() <= kShown) out["hex"] = hex(value);
  return out;
}

/// Order-dependent digest of pairs.
uint32_t add_pair(uint32_t crc, std::string_view k, std::string_view value) {
  ByteWriter w;
  w.blob(k);
  w.blob(value);
  return crc32c(crc, w.view());
}

Task<Result<>> dump_bytes(BlockFile& file, const Onode& o, json::object& out) {
  uint32_t crc = 0xffffffff;
  uint64_t at = 0;  // in bytes; the digest covers holes as zeros
  auto add_zeros = [&](uint64_t until) {
    for (; at < until; at += std::min<uint64_t>(kBlock, until - at))
      crc = crc32c(crc, Bytes::zeros(std::min<uint64_t>(kBlock, until - at)).view());
  };
  json::array runs;
  for (const auto& run : o.runs) {
    json::object r;
    r["offset"] = run.logical * kBlock;
    r["length"] = run.count() * kBlock;
    r["physical"] = run.physical * kBlock;
    runs.push_back(std::move(r));
    add_zeros(run.logical * kBlock);
    for (uint64_t b = run.logical; b < run.end(); b += kReadBlocks) {
      auto parts = o.mapped(b, std::min(b + kReadBlocks, run.end()));
      auto data = co_await read_checked(file, std::move(parts[0]));
      if (!data) {
        out["error"] = data.error().text();
        co_return Result<>();
      }
      const uint64_t n = std::min<uint64_t>(data->size(), o.size - std::min(o.size, at));
      crc = crc32c(crc, data->view().substr(0, n));
      at += n;
    }
  }
  add_zeros(o.size);
  out["extents"] = std::move(runs);
  out["data_crc"] = crc;
  co_return Result<>();
}

Task<Result<>> dump_omap(Kv& kv, uint64_t id, json::object& out) {
  CO_TRY(header, co_await kv.get(key::omap_header(id)));
  uint32_t crc = 0xffffffff;
  uint64_t keys = 0;
  const std::string prefix = key::omap(id, {});
  for (KvWalk walk(kv, prefix);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page) {
      crc = add_pair(crc, std::string_view(k).substr(prefix.size()), value);
      keys++;
    }
  }
  json::object omap;
  omap["id"] = id;
  omap["keys"] = keys;
  omap["crc"] = crc;
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
  const HObject& h = parsed->second;
  out["name"] = printable(h.oid);
  out["namespace"] = printable(h.nspace);
  out["key"] = printable(h.key);
  out["snap"] = h.snap == kSnapHead ? json::value("head") : json::value(h.snap);
  out["hash"] = fmt::format("{:08x}", h.hash);
  out["size"] = o.size;
  out["allocated"] = o.mapped_blocks() * kBlock;
  out["expected_object_size"] = o.expected_object_size;
  out["expected_write_size"] = o.expected_write_size;
  uint32_t attrs_crc = 0xffffffff;
  json::object attrs;
  for (const auto& [name, v] : o.attrs) {
    attrs[printable(name)] = value_summary(v.view());
    attrs_crc = add_pair(attrs_crc, name, v.view());
  }
  out["attrs"] = std::move(attrs);
  out["attrs_crc"] = attrs_crc;
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
  CO_TRY(files, co_await open_files(rt, path, anybody, kv_options));
  auto out = co_await dump_store(files, pg);
  co_await files.kv->close();
  co_return out;
}

}  // namespace plimsoll::osd
