// SPDX-License-Identifier: LGPL-2.1-or-later
// StoreProxy: the object store for shards that run on other executors than its own: every call
// crosses over and back. Calls of one shard keep their order.
#pragma once

#include "common/rt/run_on.h"
#include "osd/store/object_store.h"

namespace plimsoll::osd {

class StoreProxy final : public ObjectStore {
 public:
  StoreProxy(ObjectStore& store, Executor executor)
      : store_(store), executor_(std::move(executor)) {}

  Task<Result<>> mount() override { return over(&ObjectStore::mount); }
  Task<void> umount() override { return over(&ObjectStore::umount); }
  [[nodiscard]] Task<Result<>> commit(Transaction txn) override {
    return over(&ObjectStore::commit, std::move(txn));
  }
  Task<Result<ObjectStat>> stat(PgId pg, HObject o) override {
    return over(&ObjectStore::stat, pg, std::move(o));
  }
  Task<Result<Bytes>> read(PgId pg, HObject o, uint64_t offset, uint64_t length) override {
    return over(&ObjectStore::read, pg, std::move(o), offset, length);
  }
  Task<Result<std::vector<Extent>>> extents(PgId pg, HObject o, uint64_t offset,
                                            uint64_t length) override {
    return over(&ObjectStore::extents, pg, std::move(o), offset, length);
  }
  Task<Result<Bytes>> get_attr(PgId pg, HObject o, std::string name) override {
    return over(&ObjectStore::get_attr, pg, std::move(o), std::move(name));
  }
  Task<Result<std::map<std::string, Bytes>>> get_attrs(PgId pg, HObject o) override {
    return over(&ObjectStore::get_attrs, pg, std::move(o));
  }
  Task<Result<Bytes>> omap_header(PgId pg, HObject o) override {
    return over(&ObjectStore::omap_header, pg, std::move(o));
  }
  Task<Result<OmapPage>> omap_page(PgId pg, HObject o, std::optional<std::string> start_after,
                                   std::string prefix, uint64_t max_entries,
                                   uint64_t max_bytes) override {
    return over(&ObjectStore::omap_page, pg, std::move(o), std::move(start_after),
                std::move(prefix), max_entries, max_bytes);
  }
  Task<Result<std::map<std::string, Bytes>>> omap_get(PgId pg, HObject o,
                                                      std::set<std::string> keys) override {
    return over(&ObjectStore::omap_get, pg, std::move(o), std::move(keys));
  }
  Task<Result<std::vector<PgId>>> list_collections() override {
    return over(&ObjectStore::list_collections);
  }
  Task<Result<std::vector<HObject>>> list(PgId pg, HObject from, HObject to, size_t max) override {
    return over(&ObjectStore::list, pg, std::move(from), std::move(to), max);
  }
  Task<Result<std::optional<Bytes>>> meta_get(PgId pg, std::string key) override {
    return over(&ObjectStore::meta_get, pg, std::move(key));
  }
  Task<Result<std::vector<std::pair<std::string, Bytes>>>> meta_scan(PgId pg, std::string from,
                                                                     std::string to,
                                                                     size_t max) override {
    return over(&ObjectStore::meta_scan, pg, std::move(from), std::move(to), max);
  }
  Task<Result<std::optional<Bytes>>> store_get(std::string key) override {
    return over(&ObjectStore::store_get, std::move(key));
  }
  Task<Result<>> compact() override { return over(&ObjectStore::compact); }
  /// These two not for other executors: the OSD reads them on the store's.
  StoreStatfs statfs() const override { return store_.statfs(); }
  std::map<PgId, StoreStatfs> collection_statfs() const override {
    return store_.collection_statfs();
  }

 private:
  template <class R, class... P>
  static Task<R> call(ObjectStore* store, Task<R> (ObjectStore::*method)(P...), P... args) {
    co_return co_await (store->*method)(std::move(args)...);
  }
  template <class R, class... P, class... A>
  Task<R> over(Task<R> (ObjectStore::*method)(P...), A... args) {
    return run_on(executor_, call<R, P...>(&store_, method, std::move(args)...));
  }

  ObjectStore& store_;
  const Executor executor_;
};

}  // namespace plimsoll::osd
