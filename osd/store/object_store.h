// SPDX-License-Identifier: LGPL-2.1-or-later
// ObjectStore: what an OSD keeps its objects in. block_store is the real one, mem_store a map for
// tests. Collections are PGs; an object has bytes, attributes, an omap with a header; a PG and the
// OSD itself have meta keys. The store knows nothing of versions or replication.
//
// All calls on Runtime::executor() (use run_on from other shards). A commit is ordered at the call
// and durable when its task returns; reads see it no later than that, and never a part of one.
// Nobody reads an object while a commit that touches it is under way: the PG orders that.
#pragma once

#include <memory>
#include <optional>
#include <set>

#include "common/rt/runtime.h"
#include "osd/store/transaction.h"

namespace plimsoll::osd {

struct ObjectStat {
  uint64_t size = 0;
  uint64_t allocated = 0;  ///< bytes of allocation units behind it
  uint64_t expected_object_size = 0;
  uint64_t expected_write_size = 0;
  bool has_omap = false;
};

struct Extent {
  uint64_t offset = 0;
  uint64_t length = 0;
};

struct OmapPage {
  std::vector<std::pair<std::string, Bytes>> pairs;  ///< ascending
  bool more = false;
};

/// Space in bytes, exact for extents; names as in Ceph's store_statfs_t.
struct StoreStatfs {
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t internally_reserved = 0;
  uint64_t allocated = 0;     ///< of data
  uint64_t data_stored = 0;   ///< before rounding to allocation units
  uint64_t omap_allocated = 0;
  uint64_t internal_metadata = 0;
};

/// The file system under a store: ENOSPC there must not become one of the store.
struct HostSpace {
  uint64_t free = UINT64_MAX;
  uint64_t ballast = 0;        ///< set aside for the store, and still there
  uint64_t ballast_whole = 0;  ///< what it should be
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Opens what mkfs made. Errors name the file and what is wrong with it.
  virtual Task<Result<>> mount() = 0;
  /// Ends all background work; every returned commit is durable.
  virtual Task<void> umount() = 0;

  /// All or nothing. ENOSPC, decided at the call: nothing happened, nothing was ordered. EIO: the
  /// store is unusable and the OSD must stop.
  [[nodiscard]] virtual Task<Result<>> commit(Transaction txn) = 0;

  /// ENOENT for an absent object, in all that follow. EIO names object and offset where a checksum
  /// does not match.
  virtual Task<Result<ObjectStat>> stat(PgId pg, HObject object) = 0;
  /// Cut at the object's end; holes read as zeros.
  virtual Task<Result<Bytes>> read(PgId pg, HObject object, uint64_t offset, uint64_t length) = 0;
  /// Allocated ranges inside [offset, offset + length), ascending, cut at the object's end.
  virtual Task<Result<std::vector<Extent>>> extents(PgId pg, HObject object, uint64_t offset,
                                                    uint64_t length) = 0;
  /// ENODATA for an absent attribute.
  virtual Task<Result<Bytes>> get_attr(PgId pg, HObject object, std::string name) = 0;
  virtual Task<Result<std::map<std::string, Bytes>>> get_attrs(PgId pg, HObject object) = 0;
  virtual Task<Result<Bytes>> omap_header(PgId pg, HObject object) = 0;
  /// Keys > start_after (from the first where it is nullopt) that begin with `prefix`; bounded by
  /// count and bytes, at least one where there is one.
  virtual Task<Result<OmapPage>> omap_page(PgId pg, HObject object,
                                           std::optional<std::string> start_after,
                                           std::string prefix, uint64_t max_entries,
                                           uint64_t max_bytes) = 0;
  virtual Task<Result<std::map<std::string, Bytes>>> omap_get(PgId pg, HObject object,
                                                              std::set<std::string> keys) = 0;

  virtual Task<Result<std::vector<PgId>>> list_collections() = 0;
  /// Objects in [from, to) of a PG in HObject order, at most `max`.
  virtual Task<Result<std::vector<HObject>>> list(PgId pg, HObject from, HObject to,
                                                  size_t max) = 0;

  virtual Task<Result<std::optional<Bytes>>> meta_get(PgId pg, std::string key) = 0;
  virtual Task<Result<std::vector<std::pair<std::string, Bytes>>>> meta_scan(PgId pg,
                                                                             std::string from,
                                                                             std::string to,
                                                                             size_t max) = 0;
  virtual Task<Result<std::optional<Bytes>>> store_get(std::string key) = 0;

  virtual StoreStatfs statfs() const = 0;
  /// What each collection has of it: allocated, data_stored, omap_allocated and internal_metadata,
  /// the rest being 0. What the sums lack is the store's own.
  virtual std::map<PgId, StoreStatfs> collection_statfs() const = 0;
  /// As last looked at, but the ballast as it is now.
  virtual HostSpace host() const { return {}; }
  /// Looks, and makes the ballast whole where the host keeps `spare` bytes besides.
  virtual Task<void> look_at_host([[maybe_unused]] uint64_t spare) { co_return; }
  /// Reclaims what deleted small data still occupies, and waits for it.
  virtual Task<Result<>> compact() = 0;
};

}  // namespace plimsoll::osd
