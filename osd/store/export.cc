// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/export.h"

#include <fmt/format.h>

#include "common/wire/dump.h"
#include "osd/store/checked_read.h"
#include "osd/store/kv_walk.h"
#include "osd/store/replay.h"
#include "osd/store/summary.h"

namespace plimsoll::osd {

namespace {

namespace json = boost::json;

constexpr uint64_t kReadBlocks = 256;

/// Pairs of a page of keys, named by what follows `prefix`.
std::map<std::string, Bytes> without_prefix(std::vector<Kv::Pair> page, const std::string& prefix) {
  std::map<std::string, Bytes> out;
  for (auto& [k, value] : page)
    out.emplace_hint(out.end(), k.substr(prefix.size()), Bytes::take(std::move(value)));
  return out;
}

/// The output's errors speak for themselves; those of an object need its name.
Error of_object(const HObject& object, const Error& e) {
  return fail(EIO, object.to_string() + ": " + e.text());
}

Task<Result<>> export_data(BlockFile& file, const HObject& object, const Onode& o,
                           ExportWriter& out) {
  for (const auto& run : o.runs) {
    for (uint64_t b = run.logical; b < run.end() && b * kBlock < o.size; b += kReadBlocks) {
      auto parts = o.mapped(b, std::min(b + kReadBlocks, run.end()));
      auto data = co_await read_checked(file, std::move(parts[0]));
      if (!data) co_return of_object(object, data.error());
      ExportData record;
      record.offset = b * kBlock;
      record.data = data->slice(0, o.size - record.offset);
      CO_TRY_VOID(out.write(record));
    }
  }
  co_return Result<>();
}

Task<Result<>> export_omap(Kv& kv, uint64_t id, ExportWriter& out) {
  CO_TRY(header, co_await kv.get(key::omap_header(id)));
  ExportOmapHeader first;
  first.header = Bytes::take(header.value_or(""));
  CO_TRY_VOID(out.write(first));
  const std::string prefix = key::omap(id, {});
  for (KvWalk walk(kv, prefix);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    ExportOmap record;
    record.pairs = without_prefix(std::move(page), prefix);
    CO_TRY_VOID(out.write(record));
  }
}

Task<Result<>> export_object(StoreFiles& files, std::string k, std::string value,
                             ExportWriter& out) {
  auto parsed = key::parse_onode(k);
  if (!parsed) co_return fail(EIO, "malformed object key");
  ExportObject record;
  record.object = parsed->second;
  const auto o = wire::from_bytes<Onode>(Bytes::take(std::move(value)), "onode");
  if (!o) co_return of_object(record.object, o.error());
  record.size = o->size;
  record.expected_object_size = o->expected_object_size;
  record.expected_write_size = o->expected_write_size;
  record.attrs = o->attrs;
  CO_TRY_VOID(out.write(record));
  CO_TRY_VOID(co_await export_data(*files.block, record.object, *o, out));
  if (o->omap_id) CO_TRY_VOID(co_await export_omap(*files.kv, o->omap_id, out));
  co_return Result<>();
}

Task<Result<>> export_all(StoreFiles& files, PgId pg, std::string made_by, ExportWriter& out) {
  CO_TRY_VOID(co_await replay(files));
  CO_TRY(exists, co_await files.kv->get(key::collection(pg)));
  if (!exists)
    co_return fail(ENOENT, fmt::format("osd.{} has no pg {}", files.superblock.osd,
                                       pg.to_string()));
  ExportHeader header;
  header.fsid = files.superblock.fsid;
  header.instance = files.superblock.instance;
  header.osd = files.superblock.osd;
  header.pg = pg;
  header.made_by = std::move(made_by);
  CO_TRY_VOID(out.write(header));
  const std::string prefix = key::pg_meta(pg, {});
  for (KvWalk walk(*files.kv, prefix);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    ExportPgKeys record;
    record.pairs = without_prefix(std::move(page), prefix);
    CO_TRY_VOID(out.write(record));
  }
  for (KvWalk walk(*files.kv, key::onode_prefix(pg));;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (auto& [k, value] : page)
      CO_TRY_VOID(co_await export_object(files, std::move(k), std::move(value), out));
  }
  co_return out.finish();
}

// ---- listing ------------------------------------------------------------------------------------

/// Takes records in order and keeps digests only.
class Listing {
 public:
  void add(const ExportHeader& h) { out_ = wire::dump(h).as_object(); }
  void add(const ExportPgKeys& keys) {
    for (const auto& [k, v] : keys.pairs) meta_[printable(k)] = value_summary(v.view());
  }
  void add(const ExportObject& o) {
    end_object();
    object_ = object_name(o.object);
    object_["size"] = size_ = o.size;
    object_["expected_object_size"] = o.expected_object_size;
    object_["expected_write_size"] = o.expected_write_size;
    json::object attrs;
    PairsDigest digest;
    for (const auto& [k, v] : o.attrs) {
      attrs[printable(k)] = value_summary(v.view());
      digest.add(k, v.view());
    }
    object_["attrs"] = std::move(attrs);
    object_["attrs_crc"] = digest.crc();
  }
  void add(const ExportData& d) { data_.add(d.offset, d.data.view()); }
  void add(const ExportOmapHeader& h) { header_ = value_summary(h.header.view()); }
  void add(const ExportOmap& omap) {
    for (const auto& [k, v] : omap.pairs) omap_.add(k, v.view());
  }
  void add(const ExportEnd& end) {
    end_object();
    out_["meta"] = std::move(meta_);
    out_["objects"] = std::move(objects_);
    out_["counts"] = wire::dump(end);
  }
  json::value take() { return std::move(out_); }

 private:
  void end_object() {
    if (object_.empty()) return;
    data_.end(size_);
    object_["data_crc"] = data_.crc();
    if (header_) {
      json::object omap;
      omap["keys"] = omap_.count();
      omap["crc"] = omap_.crc();
      omap["header"] = std::move(*header_);
      object_["omap"] = std::move(omap);
    }
    objects_.push_back(std::exchange(object_, {}));
    data_ = {};
    omap_ = {};
    header_.reset();
  }

  json::object out_, meta_, object_;
  json::array objects_;
  uint64_t size_ = 0;
  DataDigest data_;
  PairsDigest omap_;
  std::optional<json::object> header_;
};

}  // namespace

Task<Result<ExportEnd>> export_pg(Runtime& rt, std::string path, PgId pg, std::string made_by,
                                  ByteSink& sink) {
  const StoreOwner anybody;
  const KvOptions kv_options;
  CO_TRY(files, co_await open_files(rt, path, anybody, kv_options, Access::kRead));
  ExportWriter out(sink);
  auto done = co_await export_all(files, pg, std::move(made_by), out);
  co_await files.kv->close();
  CO_TRY_VOID(done);
  co_return out.counts();
}

Result<json::value> list_export(ByteSource& source) {
  ExportReader reader(source);
  Listing listing;
  for (;;) {
    TRY(record, reader.next());
    if (!record) return listing.take();
    std::visit([&](const auto& r) { listing.add(r); }, *record);
  }
}

}  // namespace plimsoll::osd
