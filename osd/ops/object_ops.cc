// SPDX-License-Identifier: LGPL-2.1-or-later
// Operations on an object as a whole.
#include "osd/ops/ops_table.h"

namespace plimsoll::osd::ops {

int32_t create(OpContext& c, msg::OsdOp& op) {
  if (c.now.exists && (op.flags & msg::kOpExclusive)) return -EEXIST;
  c.create();
  return 0;
}

int32_t remove(OpContext& c, msg::OsdOp&) {
  if (!c.now.exists) return -ENOENT;
  c.txn.remove(c.pg, c.object);
  c.now = ObjectState();
  c.modified = true;
  return 0;
}

int32_t alloc_hint(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::AllocHintArgs>();
  c.create();
  c.txn.alloc_hint(c.pg, c.object, a.object_size, a.write_size);
  return 0;
}

int32_t assert_version(OpContext& c, msg::OsdOp& op) {
  const uint64_t want = op.as<msg::AssertVerArgs>().ver;
  if (want == 0) return -EINVAL;
  if (!c.now.exists) return -ENOENT;
  if (want < c.now.info.user_version) return -ERANGE;
  return want > c.now.info.user_version ? -EOVERFLOW : 0;
}

/// There are no watches yet, so nobody watches.
int32_t list_watchers(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) return -ENOENT;
  ByteWriter w;
  wire::enclose(w, {1, 1}, [&] { w.u32(0); });
  op.outdata = w.take();
  return 0;
}

/// There are no snapshots yet, so an object is its head.
int32_t list_snaps(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) return -ENOENT;
  ByteWriter w;
  wire::enclose(w, {2, 1}, [&] {
    w.u32(1);
    wire::enclose(w, {1, 1}, [&] {
      w.u64(kSnapHead);
      w.u32(0);  // snaps
      w.u32(0);  // overlap
      w.u64(c.now.size);
    });
    w.u64(0);  // seq
  });
  op.outdata = w.take();
  return 0;
}

/// Only objects of cache tiers are ever clean.
int32_t is_dirty(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) return -ENOENT;
  ByteWriter w;
  w.u8(1);
  op.outdata = w.take();
  return 0;
}

}  // namespace plimsoll::osd::ops
