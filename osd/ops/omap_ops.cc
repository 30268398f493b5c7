// SPDX-License-Identifier: LGPL-2.1-or-later
// Operations on an object's omap: sorted keys with values, and a header.
#include "osd/ops/ops_table.h"

namespace plimsoll::osd::ops {

namespace {

struct PageRequest {
  std::string start_after;
  uint64_t max = 0;
  std::string prefix;
};

Task<Result<OmapPage>> fetch_page(OpContext& c, PageRequest p) {
  if (!c.before.exists || !(c.before.info.flags & ObjectInfo::kHasOmap)) co_return OmapPage{};
  const uint64_t entries = std::min(p.max, c.limits.max_omap_entries);
  if (entries == 0) co_return OmapPage{.pairs = {}, .more = true};
  std::optional<std::string> after;
  if (!p.start_after.empty()) after = std::move(p.start_after);
  co_return co_await c.store.omap_page(c.pg, c.object, std::move(after), std::move(p.prefix),
                                       entries, c.limits.max_omap_bytes);
}

template <class T>
Result<T> input(const msg::OsdOp& op) {
  return wire::from_bytes<T>(op.indata, "omap input");
}

int32_t changes(OpContext& c) {
  c.will_write();
  c.now.info.flags |= ObjectInfo::kHasOmap;
  return 0;
}

}  // namespace

Task<int32_t> omap_get_keys(OpContext& c, msg::OsdOp& op) {
  ByteReader in(op.indata);
  PageRequest p;
  p.start_after = in.str();
  p.max = in.u64();
  if (!in.ok()) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  auto page = co_await fetch_page(c, std::move(p));
  if (!page) co_return page.error().wire();
  ByteWriter w;
  w.u32(static_cast<uint32_t>(page->pairs.size()));
  for (const auto& [key, value] : page->pairs) w.blob(key);
  w.u8(page->more);
  op.outdata = w.take();
  co_return 0;
}

Task<int32_t> omap_get_vals(OpContext& c, msg::OsdOp& op) {
  ByteReader in(op.indata);
  PageRequest p;
  p.start_after = in.str();
  p.max = in.u64();
  p.prefix = in.str();
  if (!in.ok()) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  auto page = co_await fetch_page(c, std::move(p));
  if (!page) co_return page.error().wire();
  ByteWriter w;
  wire::encode(page->pairs, w);
  w.u8(page->more);
  op.outdata = w.take();
  co_return 0;
}

Task<int32_t> omap_get_header(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) co_return -ENOENT;
  if (!c.before.exists) co_return 0;
  auto header = co_await c.store.omap_header(c.pg, c.object);
  if (!header) co_return header.error().wire();
  op.outdata = std::move(*header);
  co_return 0;
}

Task<int32_t> omap_get_vals_by_keys(OpContext& c, msg::OsdOp& op) {
  auto keys = input<std::set<std::string>>(op);
  if (!keys) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  std::map<std::string, Bytes> out;
  if (c.before.exists) {
    auto found = co_await c.store.omap_get(c.pg, c.object, std::move(*keys));
    if (!found) co_return found.error().wire();
    out = std::move(*found);
  }
  op.outdata = wire::to_bytes(out);
  co_return 0;
}

/// Every stored value must stand in the given relation to the one given; an absent one is empty.
Task<int32_t> omap_cmp(OpContext& c, msg::OsdOp& op) {
  auto wanted = input<std::map<std::string, std::pair<Bytes, int32_t>>>(op);
  if (!wanted) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  std::set<std::string> keys;
  for (const auto& [key, want] : *wanted) keys.insert(key);
  std::map<std::string, Bytes> stored;
  if (c.before.exists) {
    auto found = co_await c.store.omap_get(c.pg, c.object, std::move(keys));
    if (!found) co_return found.error().wire();
    stored = std::move(*found);
  }
  for (const auto& [key, want] : *wanted) {
    const Bytes have = stored.contains(key) ? stored[key] : Bytes();
    bool holds = false;
    switch (want.second) {
      case msg::XattrArgs::kEq:
        holds = have == want.first;
        break;
      case msg::XattrArgs::kLt:
        holds = have < want.first;
        break;
      case msg::XattrArgs::kGt:
        holds = have > want.first;
        break;
      default:
        co_return -EINVAL;
    }
    if (!holds) co_return -ECANCELED;
  }
  co_return 0;
}

int32_t omap_set_vals(OpContext& c, msg::OsdOp& op) {
  auto pairs = input<std::map<std::string, Bytes>>(op);
  if (!pairs) return -EINVAL;
  c.txn.omap_set(c.pg, c.object, std::move(*pairs));
  return changes(c);
}

int32_t omap_set_header(OpContext& c, msg::OsdOp& op) {
  c.txn.omap_set_header(c.pg, c.object, op.indata);
  return changes(c);
}

int32_t omap_clear(OpContext& c, msg::OsdOp&) {
  if (!c.now.exists) return -ENOENT;
  c.txn.omap_clear(c.pg, c.object);
  c.now.info.flags &= ~ObjectInfo::kHasOmap;
  c.modified = true;
  return 0;
}

int32_t omap_rm_keys(OpContext& c, msg::OsdOp& op) {
  auto keys = input<std::set<std::string>>(op);
  if (!keys) return -EINVAL;
  if (!c.now.exists) return -ENOENT;
  std::map<std::string, Bytes> gone;
  for (auto& key : *keys) gone.emplace_hint(gone.end(), key, Bytes());
  c.txn.omap_remove(c.pg, c.object, std::move(gone));
  c.modified = true;
  return 0;
}

int32_t omap_rm_range(OpContext& c, msg::OsdOp& op) {
  ByteReader in(op.indata);
  std::string from = in.str(), to = in.str();
  if (!in.ok()) return -EINVAL;
  if (!c.now.exists) return -ENOENT;
  if (from < to) c.txn.omap_remove_range(c.pg, c.object, std::move(from), std::move(to));
  c.modified = true;
  return 0;
}

}  // namespace plimsoll::osd::ops
