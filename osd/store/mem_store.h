// SPDX-License-Identifier: LGPL-2.1-or-later
// MemStore: an ObjectStore in maps, for tests of what stands above. It behaves as block_store does,
// down to allocation units, but survives nothing. A transaction is applied when commit() is called
// and acknowledged one turn of the executor later, or when the delay hook says.
#pragma once

#include <functional>

#include "osd/store/object_store.h"

namespace plimsoll::osd {

class MemStore final : public ObjectStore {
 public:
  struct Options {
    uint64_t size = 1 << 30;
    /// Awaited before each acknowledgement, on the store's executor.
    std::function<Task<void>()> delay;
  };
  MemStore() : MemStore(Options()) {}
  explicit MemStore(Options options) : options_(std::move(options)) {}

  Task<Result<>> mount() override;
  Task<void> umount() override;
  [[nodiscard]] Task<Result<>> commit(Transaction txn) override;

  Task<Result<ObjectStat>> stat(PgId pg, HObject object) override;
  Task<Result<Bytes>> read(PgId pg, HObject object, uint64_t offset, uint64_t length) override;
  Task<Result<std::vector<Extent>>> extents(PgId pg, HObject object, uint64_t offset,
                                            uint64_t length) override;
  Task<Result<Bytes>> get_attr(PgId pg, HObject object, std::string name) override;
  Task<Result<std::map<std::string, Bytes>>> get_attrs(PgId pg, HObject object) override;
  Task<Result<Bytes>> omap_header(PgId pg, HObject object) override;
  Task<Result<OmapPage>> omap_page(PgId pg, HObject object, std::optional<std::string> start_after,
                                   std::string prefix, uint64_t max_entries,
                                   uint64_t max_bytes) override;
  Task<Result<std::map<std::string, Bytes>>> omap_get(PgId pg, HObject object,
                                                      std::set<std::string> keys) override;
  Task<Result<std::vector<PgId>>> list_collections() override;
  Task<Result<std::vector<HObject>>> list(PgId pg, HObject from, HObject to, size_t max) override;
  Task<Result<std::optional<Bytes>>> meta_get(PgId pg, std::string key) override;
  Task<Result<std::vector<std::pair<std::string, Bytes>>>> meta_scan(PgId pg, std::string from,
                                                                     std::string to,
                                                                     size_t max) override;
  Task<Result<std::optional<Bytes>>> store_get(std::string key) override;
  StoreStatfs statfs() const override;
  std::map<PgId, StoreStatfs> collection_statfs() const override;
  Task<Result<>> compact() override { co_return Result<>(); }

 private:
  using Pairs = std::map<std::string, Bytes>;
  struct Object {
    uint64_t size = 0;
    std::map<uint64_t, std::string>
        blocks;  ///< by offset; each of kBlock bytes, zeros past the end
    Pairs attrs;
    Pairs omap;
    Bytes omap_header;
    bool has_omap = false;
    uint64_t expected_object_size = 0;
    uint64_t expected_write_size = 0;
  };
  struct Collection {
    std::map<HObject, Object> objects;
    Pairs meta;
  };

  void apply(const TxnOp& op);
  void apply_to_object(const TxnOp& op, Object& o);
  void write(Object& o, uint64_t offset, const Bytes& data);
  void zero(Object& o, uint64_t offset, uint64_t length);
  void truncate(Object& o, uint64_t size);
  void forget(Object& o) { blocks_used_ -= o.blocks.size(); }
  Result<Object*> find(PgId pg, const HObject& object);
  Task<Result<>> acknowledge();

  Options options_;
  std::map<PgId, Collection> collections_;
  Pairs store_;
  uint64_t blocks_used_ = 0;
};

}  // namespace plimsoll::osd
