// SPDX-License-Identifier: LGPL-2.1-or-later
// The functions behind the operation codes. Each returns a result >= 0 or a negative errno. `now`
// functions do not wait: all that only write; `later` ones read from the store.
#pragma once

#include "osd/ops/ops.h"

namespace plimsoll::osd {

struct OpRow {
  msg::OpCode code;
  int32_t (*now)(OpContext&, msg::OsdOp&) = nullptr;
  Task<int32_t> (*later)(OpContext&, msg::OsdOp&) = nullptr;
  bool lists = false;
};
/// Null for codes that are not supported.
const OpRow* find_op(msg::OpCode code);

namespace ops {

// data_ops.cc
Task<int32_t> read(OpContext&, msg::OsdOp&);
Task<int32_t> sparse_read(OpContext&, msg::OsdOp&);
Task<int32_t> checksum(OpContext&, msg::OsdOp&);
Task<int32_t> cmpext(OpContext&, msg::OsdOp&);
int32_t stat(OpContext&, msg::OsdOp&);
int32_t write(OpContext&, msg::OsdOp&);
int32_t write_full(OpContext&, msg::OsdOp&);
int32_t write_same(OpContext&, msg::OsdOp&);
int32_t append(OpContext&, msg::OsdOp&);
int32_t zero(OpContext&, msg::OsdOp&);
int32_t truncate(OpContext&, msg::OsdOp&);

// object_ops.cc
int32_t create(OpContext&, msg::OsdOp&);
int32_t remove(OpContext&, msg::OsdOp&);
int32_t alloc_hint(OpContext&, msg::OsdOp&);
int32_t assert_version(OpContext&, msg::OsdOp&);
int32_t list_watchers(OpContext&, msg::OsdOp&);
int32_t list_snaps(OpContext&, msg::OsdOp&);
int32_t is_dirty(OpContext&, msg::OsdOp&);

// copy_ops.cc
Task<int32_t> copy_from(OpContext&, msg::OsdOp&);

// attr_ops.cc
Task<int32_t> get_xattr(OpContext&, msg::OsdOp&);
Task<int32_t> get_xattrs(OpContext&, msg::OsdOp&);
Task<int32_t> cmp_xattr(OpContext&, msg::OsdOp&);
int32_t set_xattr(OpContext&, msg::OsdOp&);
int32_t rm_xattr(OpContext&, msg::OsdOp&);

// omap_ops.cc
Task<int32_t> omap_get_keys(OpContext&, msg::OsdOp&);
Task<int32_t> omap_get_vals(OpContext&, msg::OsdOp&);
Task<int32_t> omap_get_header(OpContext&, msg::OsdOp&);
Task<int32_t> omap_get_vals_by_keys(OpContext&, msg::OsdOp&);
Task<int32_t> omap_cmp(OpContext&, msg::OsdOp&);
int32_t omap_set_vals(OpContext&, msg::OsdOp&);
int32_t omap_set_header(OpContext&, msg::OsdOp&);
int32_t omap_clear(OpContext&, msg::OsdOp&);
int32_t omap_rm_keys(OpContext&, msg::OsdOp&);
int32_t omap_rm_range(OpContext&, msg::OsdOp&);

// list_ops.cc
Task<int32_t> list_objects(OpContext&, msg::OsdOp&);
Task<int32_t> list_objects_filtered(OpContext&, msg::OsdOp&);

/// EFBIG unless [offset, offset + length) fits into the largest object.
int32_t check_range(const OpContext& c, uint64_t offset, uint64_t length);

}  // namespace ops
}  // namespace plimsoll::osd
