// SPDX-License-Identifier: LGPL-2.1-or-later
// Listing the objects of a PG, a page at a time. A cursor is an object name in listing order;
// behind the last object of a PG it is the first possible one of the next PG, and the result is 1.
#include <algorithm>

#include "common/map/pg_pool.h"
#include "osd/ops/ops_table.h"

namespace plimsoll::osd {

std::optional<uint32_t> hash_after_pg(uint32_t seed, uint32_t pg_num) {
  // The PG's objects share their hash's lowest bits: all of the mask's, or one less where the PG
  // that a split would make of it does not exist yet.
  const uint32_t mask = map::pg_mask(pg_num);
  uint32_t bits = static_cast<uint32_t>(std::popcount(mask));
  const uint32_t half = mask ? (mask >> 1) + 1 : 0;
  if (bits && seed < half && seed + half >= pg_num) bits--;
  const uint64_t end = uint64_t{reverse_bits(seed)} + (uint64_t{1} << (32 - bits));
  if (end >> 32) return std::nullopt;
  return reverse_bits(static_cast<uint32_t>(end));
}

namespace ops {

namespace {

constexpr uint64_t kMaxPage = 10'000;
constexpr std::string_view kAllNamespaces("\x01", 1);

/// "plain" filter: the value of one attribute. EINVAL for another type of filter.
struct Filter {
  std::string attr;
  std::string value;
};
Result<Filter> parse_filter(ByteReader& in) {
  const std::string type = in.str();
  if (type != "plain") return fail(EINVAL);
  Filter f;
  f.attr = in.str();
  f.value = in.str();
  if (!in.ok() || f.attr.empty() || f.attr[0] != '_') return fail(EINVAL);
  return f;
}

Task<Result<bool>> passes(OpContext& c, const HObject& o, const Filter* filter) {
  if (o.snap != kSnapHead) co_return false;
  if (c.object.nspace != kAllNamespaces && o.nspace != c.object.nspace) co_return false;
  if (!filter) co_return true;
  auto value = co_await c.store.get_attr(c.pg, o, filter->attr);
  if (!value) {
    if (value.error().code() == ENODATA || value.error().code() == ENOENT) co_return false;
    co_return value.error();
  }
  co_return value->view() == filter->value;
}

HObject end_cursor(const OpContext& c) {
  const auto hash = hash_after_pg(c.pg.seed, c.pg_num);
  if (!hash) return HObject::max();
  HObject next;
  next.pool = c.pg.pool;
  next.hash = *hash;
  next.snap = kSnapHead;
  return next;
}

Task<int32_t> list_page(OpContext& c, msg::OsdOp& op, HObject cursor, const Filter* filter) {
  const uint64_t want = std::clamp<uint64_t>(op.as<msg::PgLsArgs>().count, 1, kMaxPage);
  auto found = co_await c.store.list(c.pg, std::move(cursor), HObject::max(), want + 1);
  if (!found) co_return found.error().wire();
  const bool at_end = found->size() <= want;
  const HObject next = at_end ? end_cursor(c) : found->back();
  if (!at_end) found->pop_back();

  ByteWriter entries;
  uint32_t n = 0;
  for (const auto& o : *found) {
    auto pass = co_await passes(c, o, filter);
    if (!pass) co_return pass.error().wire();
    if (!*pass) continue;
    n++;
    entries.blob(o.nspace);
    entries.blob(o.oid);
    entries.blob(o.key);
  }
  ByteWriter w;
  wire::enclose(w, {1, 1}, [&] {
    wire::encode(next, w);
    w.u32(n);
    w.raw(entries.view());
  });
  op.outdata = w.take();
  co_return at_end ? 1 : 0;
}

}  // namespace

Task<int32_t> list_objects(OpContext& c, msg::OsdOp& op) {
  ByteReader in(op.indata);
  HObject cursor;
  wire::decode(cursor, in);
  if (!in.ok()) co_return -EINVAL;
  co_return co_await list_page(c, op, std::move(cursor), nullptr);
}

Task<int32_t> list_objects_filtered(OpContext& c, msg::OsdOp& op) {
  ByteReader in(op.indata);
  HObject cursor;
  wire::decode(cursor, in);
  if (!in.ok()) co_return -EINVAL;
  auto filter = parse_filter(in);
  if (!filter) co_return filter.error().wire();
  co_return co_await list_page(c, op, std::move(cursor), &*filter);
}

}  // namespace ops
}  // namespace plimsoll::osd
