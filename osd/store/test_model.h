// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests: what an object store should hold, told in the plainest way, random transactions, and
// the comparison of the two.
#pragma once

#include "common/base/rng.h"
#include "osd/store/object_store.h"

namespace plimsoll::osd {

struct ModelObject {
  std::string data;
  std::set<uint64_t> blocks;  ///< that are allocated, by number
  std::map<std::string, Bytes> attrs;
  std::map<std::string, Bytes> omap;
  Bytes omap_header;
  bool has_omap = false;
  uint64_t expected_object_size = 0;
  uint64_t expected_write_size = 0;
  bool operator==(const ModelObject&) const = default;
};

struct Model {
  struct Collection {
    std::map<HObject, ModelObject> objects;
    std::map<std::string, Bytes> meta;
    bool operator==(const Collection&) const = default;
  };
  std::map<PgId, Collection> collections;
  std::map<std::string, Bytes> store;

  void apply(const Transaction& txn);
  bool operator==(const Model&) const = default;
};

/// Object number `n` of `pg`: names that sort in awkward ways.
HObject test_object(PgId pg, uint64_t n);
Bytes random_bytes(Rng& rng, size_t size);

struct MixOptions {
  uint64_t objects = 6;
  uint64_t pgs = 2;
  uint64_t max_write = 96 << 10;
  uint64_t max_offset = 160 << 10;
  double remove_collection = 0.2;  ///< how often, when its turn comes
};
/// One to four changes.
Transaction random_transaction(Rng& rng, const MixOptions& mix);

/// Everything in the store but OSD keys, which are asked for by the names in `store_keys`.
Task<Result<Model>> read_all(ObjectStore& store, std::set<std::string> store_keys);
/// Compares one object in every way that the interface offers; a text that names the difference.
Task<std::string> compare_object(ObjectStore& store, PgId pg, HObject name, const ModelObject* want,
                                 Rng& rng);
/// The first difference, "" where there is none.
std::string difference(const Model& got, const Model& want);
/// The same for what collections take; of the store's sums they leave its own keys alone.
std::string usage_difference(const ObjectStore& store, const Model& want);

}  // namespace plimsoll::osd
