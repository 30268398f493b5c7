// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/ops/ops_table.h"

#include <algorithm>

namespace plimsoll::osd {

namespace {

using msg::OpCode;

constexpr OpRow kRows[] = {
    {OpCode::kRead, nullptr, ops::read},
    {OpCode::kStat, ops::stat},
    {OpCode::kSparseRead, nullptr, ops::sparse_read},
    {OpCode::kAssertVer, ops::assert_version},
    {OpCode::kListWatchers, ops::list_watchers},
    {OpCode::kListSnaps, ops::list_snaps},
    {OpCode::kOmapGetKeys, nullptr, ops::omap_get_keys},
    {OpCode::kOmapGetVals, nullptr, ops::omap_get_vals},
    {OpCode::kOmapGetHeader, nullptr, ops::omap_get_header},
    {OpCode::kOmapGetValsByKeys, nullptr, ops::omap_get_vals_by_keys},
    {OpCode::kOmapCmp, nullptr, ops::omap_cmp},
    {OpCode::kIsDirty, ops::is_dirty},
    {OpCode::kChecksum, nullptr, ops::checksum},
    {OpCode::kCmpExt, nullptr, ops::cmpext},
    {OpCode::kGetXattr, nullptr, ops::get_xattr},
    {OpCode::kGetXattrs, nullptr, ops::get_xattrs},
    {OpCode::kCmpXattr, nullptr, ops::cmp_xattr},
    {OpCode::kPgLs, nullptr, ops::list_objects, true},
    {OpCode::kPgLsFilter, nullptr, ops::list_objects_filtered, true},
    {OpCode::kWrite, ops::write},
    {OpCode::kWriteFull, ops::write_full},
    {OpCode::kTruncate, ops::truncate},
    {OpCode::kZero, ops::zero},
    {OpCode::kDelete, ops::remove},
    {OpCode::kAppend, ops::append},
    {OpCode::kCreate, ops::create},
    {OpCode::kOmapSetVals, ops::omap_set_vals},
    {OpCode::kOmapSetHeader, ops::omap_set_header},
    {OpCode::kOmapClear, ops::omap_clear},
    {OpCode::kOmapRmKeys, ops::omap_rm_keys},
    {OpCode::kOmapRmKeyRange, ops::omap_rm_range},
    {OpCode::kSetAllocHint, ops::alloc_hint},
    {OpCode::kWriteSame, ops::write_same},
    {OpCode::kCopyFrom, nullptr, ops::copy_from},
    {OpCode::kCopyFrom2, nullptr, ops::copy_from},
    {OpCode::kSetXattr, ops::set_xattr},
    {OpCode::kRmXattr, ops::rm_xattr},
};

}  // namespace

const OpRow* find_op(msg::OpCode code) {
  const auto* row = std::find_if(std::begin(kRows), std::end(kRows),
                                 [code](const OpRow& r) { return r.code == code; });
  return row == std::end(kRows) ? nullptr : row;
}

OpKinds op_kinds(const std::vector<msg::OsdOp>& ops) {
  OpKinds kinds;
  for (const auto& op : ops) {
    kinds.reads |= op.is_read();
    kinds.writes |= op.is_write();
    const OpRow* row = op.is_read() ? find_op(op.code) : nullptr;
    kinds.lists |= row && row->lists;
    kinds.copies |= op.code == msg::OpCode::kCopyFrom || op.code == msg::OpCode::kCopyFrom2;
  }
  return kinds;
}

bool may_grow(const std::vector<msg::OsdOp>& ops) {
  return std::any_of(ops.begin(), ops.end(), [](const msg::OsdOp& op) {
    switch (op.code) {
      case OpCode::kDelete:
      case OpCode::kRmXattr:
      case OpCode::kOmapClear:
      case OpCode::kOmapRmKeys:
      case OpCode::kOmapRmKeyRange:
      case OpCode::kZero:
      case OpCode::kTruncate:
      case OpCode::kSetAllocHint:
        return false;
      default:
        return op.is_write();
    }
  });
}

void OpContext::create() {
  if (!now.exists) txn.touch(pg, object);
  will_write();
}

Task<int32_t> run_ops(OpContext& c) {
  int32_t result = 0;
  for (auto& op : c.ops) {
    const OpRow* row = find_op(op.code);
    if (!row)
      result = -EOPNOTSUPP;
    else if (row->now)
      result = row->now(c, op);
    else
      result = co_await row->later(c, op);
    op.rval = result;
    if (result >= 0) continue;
    if (!(op.flags & msg::kOpFailOk)) break;
    result = 0;
  }
  co_return result;
}

}  // namespace plimsoll::osd
