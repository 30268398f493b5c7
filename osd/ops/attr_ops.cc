// SPDX-License-Identifier: LGPL-2.1-or-later
// Operations on extended attributes. Input: the name, directly followed by the value.
#include <charconv>

#include "osd/ops/ops_table.h"

namespace plimsoll::osd::ops {

namespace {

struct NameValue {
  std::string name;  ///< as the store knows it
  Bytes value;
};

/// EINVAL where the lengths do not fit the input, ENAMETOOLONG for a name beyond the limit.
Result<NameValue> parse(const OpContext& c, const msg::OsdOp& op, const msg::XattrArgs& a) {
  if (uint64_t{a.name_len} + a.value_len > op.indata.size()) return fail(EINVAL);
  if (a.name_len > c.limits.max_attr_name_len) return fail(ENAMETOOLONG);
  return NameValue{user_attr(op.indata.view().substr(0, a.name_len)),
                   op.indata.slice(a.name_len, a.value_len)};
}

template <class T>
bool compare(uint8_t how, const T& ours, const T& stored) {
  switch (how) {
    case msg::XattrArgs::kEq:
      return ours == stored;
    case msg::XattrArgs::kNe:
      return ours != stored;
    case msg::XattrArgs::kGt:
      return ours > stored;
    case msg::XattrArgs::kGte:
      return ours >= stored;
    case msg::XattrArgs::kLt:
      return ours < stored;
    default:
      return ours <= stored;
  }
}

/// A stored number is text; what is none counts as 0.
uint64_t number_from(std::string_view text) {
  uint64_t v = 0;
  std::from_chars(text.data(), text.data() + text.size(), v);
  return v;
}

}  // namespace

Task<int32_t> get_xattr(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) co_return -ENOENT;
  auto a = op.as<msg::XattrArgs>();
  auto in = parse(c, op, a);
  if (!in) co_return in.error().wire();
  if (!c.before.exists) co_return -ENODATA;
  auto value = co_await c.store.get_attr(c.pg, c.object, std::move(in->name));
  if (!value) co_return value.error().wire();
  op.outdata = std::move(*value);
  a.value_len = static_cast<uint32_t>(op.outdata.size());
  op.set(a);
  co_return 0;
}

Task<int32_t> get_xattrs(OpContext& c, msg::OsdOp& op) {
  if (!c.now.exists) co_return -ENOENT;
  std::map<std::string, Bytes> out;
  if (c.before.exists) {
    auto all = co_await c.store.get_attrs(c.pg, c.object);
    if (!all) co_return all.error().wire();
    for (auto& [name, value] : *all)
      if (name.size() > 1 && name[0] == '_') out.emplace(name.substr(1), std::move(value));
  }
  op.outdata = wire::to_bytes(out);
  co_return 0;
}

/// 1 where the comparison holds; an absent attribute counts as empty.
Task<int32_t> cmp_xattr(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::XattrArgs>();
  auto in = parse(c, op, a);
  if (!in) co_return in.error().wire();
  if (a.cmp_op < msg::XattrArgs::kEq || a.cmp_op > msg::XattrArgs::kLte) co_return -EINVAL;
  if (!c.now.exists) co_return -ENOENT;
  Bytes stored;
  if (c.before.exists) {
    auto value = co_await c.store.get_attr(c.pg, c.object, std::move(in->name));
    if (value)
      stored = std::move(*value);
    else if (value.error().code() != ENODATA)
      co_return value.error().wire();
  }
  bool holds = false;
  if (a.cmp_mode == msg::XattrArgs::kString) {
    holds = compare(a.cmp_op, in->value.view(), stored.view());
  } else if (a.cmp_mode == msg::XattrArgs::kU64) {
    ByteReader r(in->value);
    const uint64_t ours = r.u64();
    if (!r.ok()) co_return -EINVAL;
    holds = compare(a.cmp_op, ours, number_from(stored.view()));
  } else {
    co_return -EINVAL;
  }
  co_return holds ? 1 : -ECANCELED;
}

int32_t set_xattr(OpContext& c, msg::OsdOp& op) {
  const auto a = op.as<msg::XattrArgs>();
  if (a.value_len > c.limits.max_attr_size) return -EFBIG;
  auto in = parse(c, op, a);
  if (!in) return in.error().wire();
  c.create();
  c.txn.set_attr(c.pg, c.object, std::move(in->name), std::move(in->value));
  return 0;
}

int32_t rm_xattr(OpContext& c, msg::OsdOp& op) {
  auto in = parse(c, op, op.as<msg::XattrArgs>());
  if (!in) return in.error().wire();
  if (!c.now.exists) return -ENOENT;
  c.txn.remove_attr(c.pg, c.object, std::move(in->name));
  c.modified = true;
  return 0;
}

}  // namespace plimsoll::osd::ops
