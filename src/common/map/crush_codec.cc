// SPDX-License-Identifier: LGPL-2.1-or-later
// The binary form of CRUSH maps (wire.md 5). Decoding leaves nothing behind that could send the
// mapper out of bounds or into a loop.
#include <fmt/format.h>

#include <algorithm>

#include "common/map/crush_map.h"

namespace plimsoll::map {

namespace {

constexpr uint32_t kMagic = 0x00010000;

enum class Mark : uint8_t { kUnseen, kOpen, kDone };

/// Deeper than any real tree; edits recurse along it.
constexpr size_t kMaxDepth = 256;

/// Depth-first search for a bucket below itself (or unreasonably deep).
bool has_loop(const CrushMap& m) {
  std::vector<Mark> marks(m.buckets.size(), Mark::kUnseen);
  std::vector<std::pair<size_t, size_t>> stack;  // slot, next item
  for (size_t start = 0; start < m.buckets.size(); start++) {
    if (!m.buckets[start] || marks[start] != Mark::kUnseen) continue;
    stack.emplace_back(start, 0);
    marks[start] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [slot, next] = stack.back();
      const auto& items = m.buckets[slot]->items;
      if (next == items.size()) {
        marks[slot] = Mark::kDone;
        stack.pop_back();
        continue;
      }
      const CrushItem item = items[next++];
      if (!m.bucket(item)) continue;
      const size_t child = static_cast<size_t>(-1 - item);
      if (marks[child] == Mark::kOpen) return true;
      if (marks[child] == Mark::kUnseen) {
        marks[child] = Mark::kOpen;
        stack.emplace_back(child, 0);
        if (stack.size() > kMaxDepth) return true;
      }
    }
  }
  return false;
}

bool is_bounded(const CrushStep& step) {
  return step.op == CrushOp::kTake || (step.arg1 <= kMaxCrushTries && step.arg1 >= -kMaxCrushTries);
}

bool is_bounded(const CrushTunables& t) {
  constexpr uint32_t kMax = kMaxCrushTries;
  return t.choose_total_tries <= kMax && t.choose_local_tries <= kMax &&
         t.choose_local_fallback_tries <= kMax;
}

void encode_rule(const CrushRule& rule, ByteWriter& w) {
  w.u32(static_cast<uint32_t>(rule.steps.size()));
  w.u8(rule.ruleset);
  w.u8(rule.type);
  w.u8(rule.min_size);
  w.u8(rule.max_size);
  for (const auto& step : rule.steps) wire::encode(step, w);
}

void decode_rule(CrushRule& rule, ByteReader& r) {
  const uint32_t n = r.u32();
  rule.ruleset = r.u8();
  rule.type = r.u8();
  rule.min_size = r.u8();
  rule.max_size = r.u8();
  if (n > kMaxCrushSteps) return r.fail("crush rule has too many steps");
  for (uint32_t i = 0; i < n && r.ok(); i++) {
    wire::decode(rule.steps.emplace_back(), r);
    if (!is_bounded(rule.steps.back())) r.fail("crush rule step is out of range");
  }
}

void encode_choose_args(const CrushChooseArgs& args, ByteWriter& w) {
  w.u32(static_cast<uint32_t>(args.size()));
  // Ceph goes by bucket index, which is -1-id.
  for (auto it = args.rbegin(); it != args.rend(); ++it) {
    w.u32(static_cast<uint32_t>(-1 - it->first));
    wire::encode(it->second.positions, w);
    wire::encode(it->second.ids, w);
  }
}

void decode_choose_args(CrushMap& m, CrushChooseArgs& args, ByteReader& r) {
  for (uint32_t n = r.count(12); n && r.ok(); n--) {
    const uint32_t index = r.u32();
    if (index >= m.buckets.size() || !m.buckets[index])
      return r.fail("crush weight set of a bucket that does not exist");
    const size_t size = m.buckets[index]->items.size();
    auto& set = args[-1 - static_cast<int32_t>(index)];
    wire::decode(set.positions, r);
    wire::decode(set.ids, r);
    bool fits = set.ids.empty() || set.ids.size() == size;
    for (const auto& p : set.positions) fits = fits && p.size() == size;
    if (!fits) return r.fail("crush weight set does not fit its bucket");
  }
}

void decode_buckets(CrushMap& m, int32_t slots, ByteReader& r) {
  for (int32_t slot = 0; slot < slots && r.ok(); slot++) {
    const uint32_t alg = r.u32();
    auto& bucket = m.buckets.emplace_back();
    if (alg == 0) continue;
    decode(bucket.emplace(), r);
    if (bucket->id != -1 - slot) r.fail("crush bucket is in the wrong slot");
    if (static_cast<uint32_t>(bucket->alg) != alg) r.fail("crush bucket algorithms differ");
  }
}

void decode_rules(CrushMap& m, uint32_t slots, ByteReader& r) {
  for (uint32_t i = 0; i < slots && r.ok(); i++) {
    auto& rule = m.rules.emplace_back();
    if (r.u32()) decode_rule(rule.emplace(), r);
  }
}

}  // namespace

void encode(const CrushBucket& v, ByteWriter& w) {
  w.u32(static_cast<uint32_t>(v.id));
  w.u16(v.type);
  w.u8(static_cast<uint8_t>(v.alg));
  w.u8(v.hash);
  w.u32(v.weight);
  wire::encode(v.items, w);
  switch (v.alg) {
    case BucketAlg::kUniform:
      w.u32(v.uniform_weight);
      break;
    case BucketAlg::kList:
    case BucketAlg::kStraw:
      for (size_t i = 0; i < v.items.size(); i++) {
        w.u32(v.weights[i]);
        w.u32(v.aux[i]);
      }
      break;
    case BucketAlg::kTree:
      w.u8(static_cast<uint8_t>(v.aux.size()));
      for (uint32_t node : v.aux) w.u32(node);
      break;
    case BucketAlg::kStraw2:
      for (uint32_t weight : v.weights) w.u32(weight);
      break;
  }
}

void decode(CrushBucket& v, ByteReader& r) {
  v.id = static_cast<int32_t>(r.u32());
  v.type = r.u16();
  v.alg = static_cast<BucketAlg>(r.u8());
  v.hash = r.u8();
  v.weight = r.u32();
  const uint32_t size = r.count(4);
  for (uint32_t i = 0; i < size && r.ok(); i++) v.items.push_back(static_cast<int32_t>(r.u32()));
  switch (v.alg) {
    case BucketAlg::kUniform:
      v.uniform_weight = r.u32();
      v.weights.assign(v.items.size(), v.uniform_weight);
      break;
    case BucketAlg::kList:
    case BucketAlg::kStraw:
      for (uint32_t i = 0; i < size && r.ok(); i++) {
        v.weights.push_back(r.u32());
        v.aux.push_back(r.u32());
      }
      break;
    case BucketAlg::kTree: {
      const uint8_t nodes = r.u8();
      for (uint8_t i = 0; i < nodes && r.ok(); i++) v.aux.push_back(r.u32());
      // Leaf i is node 2i+1; the root is the middle.
      if (size && (v.aux.size() < 2 * size || (nodes & (nodes - 1)) != 0))
        return r.fail("crush tree bucket has too few nodes");
      for (uint32_t i = 0; i < size; i++) v.weights.push_back(v.aux[2 * i + 1]);
      break;
    }
    case BucketAlg::kStraw2:
      for (uint32_t i = 0; i < size && r.ok(); i++) v.weights.push_back(r.u32());
      break;
    default:
      return r.fail("unknown crush bucket algorithm");
  }
  if (v.type == 0) r.fail("crush bucket has the type of devices");
  if (v.hash != 0) r.fail("unknown crush bucket hash");
}

void encode(const CrushMap& v, ByteWriter& w) {
  w.u32(kMagic);
  w.u32(static_cast<uint32_t>(v.buckets.size()));
  w.u32(static_cast<uint32_t>(v.rules.size()));
  w.u32(static_cast<uint32_t>(v.max_devices));
  for (const auto& bucket : v.buckets) {
    w.u32(bucket ? static_cast<uint32_t>(bucket->alg) : 0);
    if (bucket) encode(*bucket, w);
  }
  for (const auto& rule : v.rules) {
    w.u32(rule ? 1 : 0);
    if (rule) encode_rule(*rule, w);
  }
  wire::encode(v.type_names, w);
  wire::encode(v.item_names, w);
  wire::encode(v.rule_names, w);
  wire::encode(v.tunables, w);
  wire::encode(v.device_classes, w);
  wire::encode(v.class_names, w);
  wire::encode(v.class_buckets, w);
  w.u32(static_cast<uint32_t>(v.choose_args.size()));
  for (const auto& [key, args] : v.choose_args) {
    w.u64(static_cast<uint64_t>(key));
    encode_choose_args(args, w);
  }
}

void decode(CrushMap& v, ByteReader& r) {
  v = CrushMap{};
  if (r.u32() != kMagic) return r.fail("not a crush map");
  const int32_t slots = static_cast<int32_t>(r.u32());
  const uint32_t rules = r.u32();
  v.max_devices = static_cast<int32_t>(r.u32());
  if (slots < 0 || slots > kMaxCrushBuckets) return r.fail("crush map has too many buckets");
  if (rules > kMaxCrushRules) return r.fail("crush map has too many rules");
  if (v.max_devices < 0 || v.max_devices > kMaxCrushDevices)
    return r.fail("crush map has too many devices");
  decode_buckets(v, slots, r);
  decode_rules(v, rules, r);
  wire::decode(v.type_names, r);
  wire::decode(v.item_names, r);
  wire::decode(v.rule_names, r);
  wire::decode(v.tunables, r);
  if (!is_bounded(v.tunables)) r.fail("crush tunable is out of range");
  wire::decode(v.device_classes, r);
  wire::decode(v.class_names, r);
  wire::decode(v.class_buckets, r);
  for (uint32_t n = r.count(12); n && r.ok(); n--) {
    const int64_t key = static_cast<int64_t>(r.u64());
    decode_choose_args(v, v.choose_args[key], r);
  }
  if (r.ok() && has_loop(v)) r.fail("crush map has a loop or is too deep");
}

Result<> CrushMap::validate() const {
  std::set<std::string> seen;
  for (const auto& [id, name] : item_names) {
    if (!seen.insert(name).second)
      return fail(EINVAL, fmt::format("crush name '{}' is used twice", name));
    const std::string_view base = std::string_view(name).substr(0, name.find('~'));
    if (!is_valid_crush_name(base))
      return fail(EINVAL, fmt::format("crush item {} has the bad name '{}'", id, name));
    if (id < 0 && !bucket(id))
      return fail(EINVAL, fmt::format("name '{}' is of bucket {}, which does not exist", name, id));
  }
  for (const auto& b : buckets) {
    if (!b) continue;
    if (!item_names.count(b->id)) return fail(EINVAL, fmt::format("bucket {} has no name", b->id));
    if (!type_names.count(b->type))
      return fail(EINVAL,
                  fmt::format("bucket '{}' has the unknown type {}", item_name(b->id), b->type));
    for (CrushItem item : b->items) {
      if (item < 0 ? !bucket(item) : item >= max_devices)
        return fail(EINVAL, fmt::format("bucket '{}' holds item {}, which does not exist",
                                        item_name(b->id), item));
    }
  }
  if (has_loop(*this)) return fail(EINVAL, "crush map has a loop or is too deep");
  for (size_t id = 0; id < rules.size(); id++) {
    if (!rules[id]) continue;
    if (!rule_names.count(static_cast<int>(id)))
      return fail(EINVAL, fmt::format("rule {} has no name", id));
    for (const auto& step : rules[id]->steps) {
      if (step.op == CrushOp::kTake &&
          (step.arg1 < 0 ? !bucket(step.arg1) : step.arg1 >= max_devices))
        return fail(EINVAL, fmt::format("rule '{}' takes item {}, which does not exist",
                                        rule_name(static_cast<int>(id)), step.arg1));
    }
  }
  return {};
}

}  // namespace plimsoll::map
