// SPDX-License-Identifier: LGPL-2.1-or-later
// The op engine: runs a vector of operations on one object. Reads fetch from the store; writes add
// to a transaction and change a projected state. All or nothing: the first operation that fails
// ends the vector (unless it carries FAILOK), and the caller then drops the transaction. As in
// Ceph, reads of content in the same vector see the object as it was before, existence and size as
// projected.
//
// One function per operation, found by its code in ops_table.cc. The engine knows nothing of
// versions, logs or replicas: the PG adds those.
#pragma once

#include <vector>

#include "common/msg/osd_op.h"
#include "osd/ops/object_state.h"
#include "osd/store/object_store.h"

namespace plimsoll::osd {

/// Limits by options; see their rows for the meaning.
struct OpLimits {
  uint64_t max_object_size = 128 << 20;
  uint64_t max_attr_name_len = 100;
  uint64_t max_attr_size = 64 << 20;
  uint64_t max_omap_entries = 1024;
  uint64_t max_omap_bytes = 4 << 20;
};

class CopySource;

struct OpContext {
  ObjectStore& store;
  const OpLimits& limits;
  PgId pg;
  uint32_t pg_num = 0;  ///< of the pool; listings need it for the next cursor
  HObject object;       ///< for listings: only pool and namespace count
  std::vector<msg::OsdOp>& ops;
  Utime mtime;

  ObjectState before;
  ObjectState now;  ///< starts as `before`
  Transaction txn;
  bool modified = false;
  CopySource* copies = nullptr;  ///< for COPY_FROM; null where there is none

  /// The object comes into being where it does not exist.
  void create();
  /// Like create() by a change that itself creates the object in the store.
  void will_write() {
    now.exists = true;
    modified = true;
  }
};

/// Runs all of c.ops, setting rval and outdata of each. The result of the whole: the first error,
/// or what the last operation returned (>= 0).
Task<int32_t> run_ops(OpContext& c);

/// What a vector of operations does, by their codes' mode bits and the table. Unknown codes count
/// by their bits.
struct OpKinds {
  bool reads = false;
  bool writes = false;
  bool lists = false;   ///< on a whole PG, not an object
  bool copies = false;  ///< reads from other OSDs
};
OpKinds op_kinds(const std::vector<msg::OsdOp>& ops);

/// Whether the vector may take more space than the object has now; conservative. Deletes,
/// truncations, removals and writes of nothing do not.
bool may_grow(const std::vector<msg::OsdOp>& ops);

/// First hash, in listing order, behind the PG's objects; nullopt behind the last PG.
std::optional<uint32_t> hash_after_pg(uint32_t seed, uint32_t pg_num);

}  // namespace plimsoll::osd
