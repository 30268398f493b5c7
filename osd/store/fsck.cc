// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/fsck.h"

#include <fmt/format.h>

#include "osd/store/checked_read.h"
#include "osd/store/kv_walk.h"
#include "osd/store/replay.h"

namespace plimsoll::osd {

namespace {

constexpr uint64_t kReadBlocks = 256;  ///< read and checked at a time

struct Omap {
  uint64_t keys = 0;
  uint64_t bytes = 0;
  std::string owner;
};

class Fsck {
 public:
  explicit Fsck(StoreFiles& files)
      : files_(files), blocks_(files.superblock.device_size / kBlock), used_(blocks_) {}
  Task<Result<FsckReport>> run();

 private:
  template <class... A>
  void found(fmt::format_string<A...> format, A&&... args) {
    if (report_.findings.size() < FsckReport::kMaxFindings)
      report_.findings.push_back(fmt::format(format, std::forward<A>(args)...));
  }
  Task<Result<>> collections();
  Task<Result<>> onodes();
  Task<Result<>> onode(std::string k, std::string value);
  void claim(const MappedRun& run, const std::string& name);
  Task<void> check_data(const Onode& o, const std::string& name);
  Task<Result<>> omaps();
  Task<Result<>> keys(char space);
  Task<Result<>> free_map();
  Task<Result<>> counters();
  void usage(const std::string& name, const Usage& kept, const Usage& want);

  StoreFiles& files_;
  uint64_t blocks_;
  std::vector<bool> used_;
  std::map<PgId, std::string> collections_;  ///< and their usage, encoded as it is kept
  std::map<PgId, Usage> usage_;              ///< as recomputed
  std::map<uint64_t, Omap> omaps_;
  FsckReport report_;
};

Task<Result<FsckReport>> Fsck::run() {
  for (uint64_t b = 0; b < kReservedBlocks; b++) used_[b] = true;
  CO_TRY_VOID(co_await collections());
  CO_TRY_VOID(co_await onodes());
  CO_TRY_VOID(co_await omaps());
  CO_TRY_VOID(co_await keys(key::kPgMeta));
  CO_TRY_VOID(co_await keys(key::kStore));
  CO_TRY_VOID(co_await free_map());
  CO_TRY_VOID(co_await counters());
  co_return std::move(report_);
}

Task<Result<>> Fsck::collections() {
  for (KvWalk walk(*files_.kv, key::kCollection);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (auto& [k, value] : page) {
      const Usage key_alone{.meta_bytes = k.size()};
      report_.counters += key_alone;
      auto pg = key::parse_collection(k);
      if (!pg) {
        found("malformed collection key");
        continue;
      }
      usage_[*pg] += key_alone;
      collections_.emplace(*pg, std::move(value));
    }
  }
}

Task<Result<>> Fsck::onodes() {
  for (KvWalk walk(*files_.kv, key::kOnode);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (auto& [k, value] : page) CO_TRY_VOID(co_await onode(std::move(k), std::move(value)));
  }
}

Task<Result<>> Fsck::onode(std::string k, std::string value) {
  const uint64_t kv_bytes = k.size() + value.size();
  auto parsed = key::parse_onode(k);
  if (!parsed) {
    found("malformed object key");
    co_return Result<>();
  }
  const std::string name = parsed->first.to_string() + " " + parsed->second.to_string();
  Onode o;
  ByteReader r(Bytes::take(std::move(value)));
  decode(o, r);
  if (!r.ok()) {
    found("{}: damaged onode: {}", name, r.error());
    co_return Result<>();
  }
  if (!collections_.contains(parsed->first)) found("{}: no such collection", name);
  if (!o.runs.empty() && o.runs.back().end() * kBlock >= o.size + kBlock)
    found("{}: blocks behind the size {}", name, o.size);
  for (const auto& run : o.runs) claim(run, name);
  co_await check_data(o, name);
  report_.counters += o.usage(kv_bytes);
  usage_[parsed->first] += o.usage(kv_bytes);
  if (!o.omap_id) co_return Result<>();
  const bool fresh = omaps_.emplace(o.omap_id, Omap{o.omap_keys, o.omap_bytes, name}).second;
  if (!fresh) found("{}: shares omap {} with {}", name, o.omap_id, omaps_[o.omap_id].owner);
  co_return Result<>();
}

void Fsck::claim(const MappedRun& run, const std::string& name) {
  if (run.physical + run.count() > blocks_)
    return found("{}: blocks {}+{} beyond the device", name, run.physical, run.count());
  for (uint64_t b = run.physical; b < run.physical + run.count(); b++) {
    if (used_[b]) found("{}: block {} has another owner", name, b);
    used_[b] = true;
  }
}

Task<void> Fsck::check_data(const Onode& o, const std::string& name) {
  for (const auto& run : o.runs) {
    for (uint64_t at = run.logical; at < run.end(); at += kReadBlocks) {
      auto parts = o.mapped(at, std::min(at + kReadBlocks, run.end()));
      const uint64_t end = parts[0].end();
      auto data = co_await read_checked(*files_.block, std::move(parts[0]));
      if (!data) {
        found("{}: {}", name, data.error().text());
        continue;
      }
      if (end * kBlock <= o.size) continue;
      const std::string_view behind = data->view().substr(data->size() - (end * kBlock - o.size));
      if (behind.find_first_not_of('\0') != behind.npos) found("{}: bytes behind the size", name);
    }
  }
}

Task<Result<>> Fsck::omaps() {
  for (KvWalk walk(*files_.kv, key::kOmap);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, value] : page) {
      auto parsed = key::parse_omap(k);
      auto owner = parsed ? omaps_.find(parsed->id) : omaps_.end();
      if (!parsed) found("malformed omap key");
      else if (owner == omaps_.end()) found("omap {} has no owner", parsed->id);
      if (owner == omaps_.end()) continue;
      // What remains in the end is what the onode said too much or too little.
      owner->second.keys -= parsed->name.has_value();
      owner->second.bytes -= k.size() + value.size();
    }
  }
  for (const auto& [id, omap] : omaps_)
    if (omap.keys || omap.bytes)
      found("{}: omap is off by {} keys and {} bytes", omap.owner, static_cast<int64_t>(omap.keys),
            static_cast<int64_t>(omap.bytes));
  co_return Result<>();
}

Task<Result<>> Fsck::keys(char space) {
  for (KvWalk walk(*files_.kv, space);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) co_return Result<>();
    for (const auto& [k, value] : page) {
      const Usage more{.meta_bytes = k.size() + value.size()};
      report_.counters += more;
      if (space == key::kStore) continue;
      auto pg = key::parse_pg(k);
      if (!pg || !collections_.contains(*pg)) found("a PG's key without its collection");
      else usage_[*pg] += more;
    }
  }
}

Task<Result<>> Fsck::free_map() {
  FreeMap map(blocks_);
  for (KvWalk walk(*files_.kv, key::kFreeMap);;) {
    CO_TRY(page, co_await walk.next());
    if (page.empty()) break;
    for (const auto& [k, bitmap] : page) {
      auto chunk = key::parse_number(k);
      auto loaded =
          chunk ? map.load(*chunk, bitmap) : Result<>(fail(EINVAL, "free map: malformed key"));
      if (!loaded) found("{}", loaded.error().text());
    }
  }
  for (uint64_t b = 0; b < blocks_; b++) {
    if (map.is_used(b) == used_[b]) continue;
    if (used_[b]) found("block {} is in use, but free in the free map", b);
    else found("block {} is leaked", b);
  }
  co_return Result<>();
}

Task<Result<>> Fsck::counters() {
  CO_TRY(value, co_await files_.kv->get(std::string(key::kCounters)));
  auto kept = wire::from_bytes<Counters>(Bytes::take(value.value_or("")), "counters");
  if (!kept) {
    found("{}", kept.error().text());
    co_return Result<>();
  }
  Counters& ours = report_.counters;
  ours.next_omap_id = kept->next_omap_id;
  if (!omaps_.empty() && omaps_.rbegin()->first >= kept->next_omap_id)
    found("omap {} is beyond the next id {}", omaps_.rbegin()->first, kept->next_omap_id);
  usage("store", *kept, ours);
  for (auto& [pg, value] : collections_) {
    if (value.empty()) continue;  // The next mount counts it.
    auto of_pg = wire::from_bytes<Usage>(Bytes::take(std::move(value)), "usage");
    if (of_pg) usage(pg.to_string(), *of_pg, usage_[pg]);
    else found("{}: {}", pg.to_string(), of_pg.error().text());
  }
  co_return Result<>();
}

void Fsck::usage(const std::string& name, const Usage& kept, const Usage& want) {
  auto compare = [&](const char* what, uint64_t have, uint64_t wanted) {
    if (have != wanted) found("{}: counter {} is {}, want {}", name, what, have, wanted);
  };
  compare("objects", kept.objects, want.objects);
  compare("allocated_blocks", kept.allocated_blocks, want.allocated_blocks);
  compare("data_stored", kept.data_stored, want.data_stored);
  compare("omap_bytes", kept.omap_bytes, want.omap_bytes);
  compare("meta_bytes", kept.meta_bytes, want.meta_bytes);
}

}  // namespace

Task<Result<FsckReport>> fsck(Runtime& rt, std::string path) {
  const StoreOwner anybody;
  const KvOptions kv_options;
  CO_TRY(files, co_await open_files(rt, path, anybody, kv_options, Access::kRead));
  Result<FsckReport> report = fail(EIO);
  if (auto replayed = co_await replay(files); !replayed) {
    report = replayed.error();
  } else {
    Fsck check(files);
    report = co_await check.run();
  }
  co_await files.kv->close();
  co_return report;
}

}  // namespace plimsoll::osd
