// SPDX-License-Identifier: LGPL-2.1-or-later
// COPY_FROM: the object becomes a copy of another one: bytes, attributes and omap.
#include "osd/ops/copy_source.h"
#include "osd/ops/ops_table.h"

namespace plimsoll::osd::ops {

namespace {

bool names(const HObject& object, const ObjectLocator& where, const std::string& oid) {
  const std::string key = where.key == oid ? "" : where.key;
  return object.pool == where.pool && object.nspace == where.nspace && object.key == key &&
         object.oid == oid;
}

void replace(OpContext& c, ObjectCopy copy) {
  if (c.now.exists) c.txn.remove(c.pg, c.object);
  c.txn.touch(c.pg, c.object);
  const uint64_t size = copy.data.size();
  if (size) c.txn.write(c.pg, c.object, 0, std::move(copy.data));
  for (auto& [name, value] : copy.attrs)
    c.txn.set_attr(c.pg, c.object, user_attr(name), std::move(value));
  const bool has_omap = !copy.omap.empty() || !copy.omap_header.empty();
  if (!copy.omap_header.empty())
    c.txn.omap_set_header(c.pg, c.object, std::move(copy.omap_header));
  if (!copy.omap.empty()) c.txn.omap_set(c.pg, c.object, std::move(copy.omap));
  c.now.size = size;
  c.now.info = {};
  c.now.info.mtime = copy.mtime;
  if (has_omap) c.now.info.flags |= ObjectInfo::kHasOmap;
  c.will_write();
}

}  // namespace

Task<int32_t> copy_from(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::CopyFromArgs>();
  if (a.snapid != kSnapHead || !c.copies) co_return -EOPNOTSUPP;
  ByteReader in(op.indata);
  std::string oid = in.str();
  ObjectLocator from;
  decode(from, in);
  if (!in.ok() || oid.empty()) co_return -EINVAL;
  if (names(c.object, from, oid)) co_return -EINVAL;
  auto copy = co_await c.copies->fetch(std::move(from), std::move(oid), c.limits.max_object_size);
  if (!copy) co_return copy.error().wire();
  replace(c, std::move(*copy));
  co_return 0;
}

}  // namespace plimsoll::osd::ops
