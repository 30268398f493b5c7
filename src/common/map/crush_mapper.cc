// SPDX-License-Identifier: LGPL-2.1-or-later
// Deterministic to the bit: every client and daemon must come to the same answer. Names of the
// variables follow wire.md 6.7-6.9: `rep` is the replica wanted, `r` the draw number.
#include "common/map/crush_mapper.h"

#include <algorithm>
#include <array>
#include <bit>

#include "common/base/hash.h"

namespace plimsoll::map {

namespace {

// ---- the logarithm ----------------------------------------------------------------------------

using u128 = unsigned __int128;

/// floor(2^48 * log2(n / d)) for 1 <= n/d < 2, digit by digit: squaring doubles the logarithm.
/// 127 fractional bits at the start leave 79 good ones at the end.
uint64_t log2_48(uint64_t n, uint64_t d) {
  u128 y = ((u128(n) << 64) / d) << 63;  // n/d in 1.127 fixed point, before the remainder
  y |= ((((u128(n) << 64) % d) << 63) / d);
  uint64_t out = 0;
  for (int i = 0; i < 48; i++) {
    // The high half of the 256-bit square.
    const uint64_t hi = static_cast<uint64_t>(y >> 64), lo = static_cast<uint64_t>(y);
    const u128 cross = u128(hi) * lo;
    const u128 low = u128(lo) * lo;
    u128 square = u128(hi) * hi + ((cross >> 64) << 1);
    const u128 middle = (low >> 64) + (u128(static_cast<uint64_t>(cross)) << 1);
    square += middle >> 64;
    out <<= 1;
    if (square >> 127) {  // in [2, 4): one more digit is set, and the square is halved
      out |= 1;
      y = square;
    } else {
      y = square << 1;
    }
  }
  return out;
}

/// Entries of the low table that do not follow its formula but are what everyone computes with.
struct LowException {
  uint8_t k;
  uint64_t value;
};
constexpr LowException kLowExceptions[] = {
    {56, 0xa2b07f3458},   {127, 0x16df6ca19bd}, {134, 0x182b07f3458}, {181, 0x209c06e6212},
    {184, 0x212b07f3458}, {188, 0x21d6a73a78f}, {193, 0x22c23679b4e}, {198, 0x23a2c3b0ea4},
    {199, 0x23d13ee805b}, {200, 0x24035e9221f}, {203, 0x247ed646bfe}, {207, 0x25492644d65},
    {210, 0x25d13ee805b}, {212, 0x26296453882}, {216, 0x26d32f798a9}, {222, 0x27e6580aecb},
    {225, 0x287bdbf5255}, {227, 0x28d13ee805b}, {228, 0x29035e9221f}, {229, 0x29296453882},
    {231, 0x29902a37aab}, {233, 0x29deabd1083}, {235, 0x2a4c7605d61}, {236, 0x2a7bdbf5255},
    {237, 0x2a96056dafc}, {238, 0x2ac3daf14ef}, {239, 0x2af1b019eca}, {240, 0x2b296453882},
    {241, 0x2b5d022d80f}, {243, 0x2ba9012e713}, {244, 0x2bd6d4901cc}, {245, 0x2c04a796cf6},
    {246, 0x2c327a428a6}, {247, 0x2c61a5e8f4c}, {248, 0x2c8e1e891f6}, {249, 0x2cbbf023fc2},
    {250, 0x2ce9c163e6e}, {251, 0x2d179248e13}, {252, 0x2d4562d2ec6}, {253, 0x2d73330209d},
    {254, 0x2da102d63b0}, {255, 0x2dced24f814}};

struct LnTables {
  std::array<uint64_t, 129> reciprocal;  ///< ceil(2^48 * 128 / (128 + k))
  std::array<uint64_t, 129> high;        ///< 2^48 * log2(1 + k / 128)
  std::array<uint64_t, 256> low;         ///< 2^48 * log2(1 + k / 2^15), nearly

  LnTables() {
    for (uint64_t k = 0; k <= 128; k++) {
      reciprocal[k] = static_cast<uint64_t>(((u128(1) << 48) * 128 + (127 + k)) / (128 + k));
      high[k] = k < 128 ? log2_48(128 + k, 128) : 0xffff00000000;
    }
    for (uint64_t k = 0; k < 256; k++)
      low[k] = log2_48((1 << 15) + k, 1 << 15) + (k >= 2 ? 0x147700000 : 0);
    for (const auto& e : kLowExceptions) low[e.k] = e.value;
  }
};
const LnTables kLn;

// ---- one choice in one bucket -----------------------------------------------------------------

/// Item `r` of the pseudo-random permutation of the bucket for `x`.
CrushItem choose_permuted(const CrushBucket& b, uint32_t x, int r) {
  const uint32_t size = static_cast<uint32_t>(b.items.size());
  const uint32_t want = static_cast<uint32_t>(r) % size;
  std::vector<uint32_t> perm(size);
  for (uint32_t i = 0; i < size; i++) perm[i] = i;
  for (uint32_t p = 0; p <= want && p + 1 < size; p++) {
    const uint32_t swap = rjenkins3(x, static_cast<uint32_t>(b.id), p) % (size - p);
    if (swap) std::swap(perm[p], perm[p + swap]);
  }
  return b.items[perm[want]];
}

CrushItem choose_list(const CrushBucket& b, uint32_t x, int r) {
  for (size_t i = b.items.size(); i-- > 0;) {
    uint64_t w = rjenkins4(x, static_cast<uint32_t>(b.items[i]), static_cast<uint32_t>(r),
                           static_cast<uint32_t>(b.id)) &
                 0xffff;
    w = (w * b.aux[i]) >> 16;
    if (w < b.weights[i]) return b.items[i];
  }
  return b.items[0];
}

CrushItem choose_tree(const CrushBucket& b, uint32_t x, int r) {
  uint32_t n = static_cast<uint32_t>(b.aux.size()) >> 1;
  while (!(n & 1) && n) {
    const uint64_t w = b.aux[n];
    const uint64_t t =
        (uint64_t{rjenkins4(x, n, static_cast<uint32_t>(r), static_cast<uint32_t>(b.id))} * w) >>
        32;
    const uint32_t half = (n & -n) >> 1;
    const uint32_t left = n - half;
    n = t < b.aux[left] ? left : n + half;
  }
  const size_t leaf = n >> 1;
  return b.items[std::min(leaf, b.items.size() - 1)];
}

CrushItem choose_straw(const CrushBucket& b, uint32_t x, int r) {
  size_t best = 0;
  uint64_t best_draw = 0;
  for (size_t i = 0; i < b.items.size(); i++) {
    const uint64_t draw =
        uint64_t{rjenkins3(x, static_cast<uint32_t>(b.items[i]), static_cast<uint32_t>(r)) &
                 0xffff} *
        b.aux[i];
    if (i == 0 || draw > best_draw) {
      best = i;
      best_draw = draw;
    }
  }
  return b.items[best];
}

CrushItem choose_straw2(const CrushBucket& b, uint32_t x, int r, const CrushWeightSet* set,
                        int position) {
  const CrushWeight* weights = b.weights.data();
  const CrushItem* ids = b.items.data();
  if (set && !set->positions.empty())
    weights = set->positions[std::min<size_t>(position, set->positions.size() - 1)].data();
  if (set && !set->ids.empty()) ids = set->ids.data();
  size_t best = 0;
  int64_t best_draw = 0;
  for (size_t i = 0; i < b.items.size(); i++) {
    int64_t draw = INT64_MIN;
    if (weights[i]) {
      const uint32_t u = rjenkins3(x, static_cast<uint32_t>(ids[i]), static_cast<uint32_t>(r));
      draw = (crush_ln(u & 0xffff) - (int64_t{1} << 48)) / static_cast<int64_t>(weights[i]);
    }
    if (i == 0 || draw > best_draw) {
      best = i;
      best_draw = draw;
    }
  }
  return b.items[best];
}

// ---- the walk ---------------------------------------------------------------------------------

constexpr CrushItem kUndefined = 0x7ffffffe;

/// What one rule run works with; tries are as the rule's set_* steps left them.
class Mapper {
 public:
  Mapper(const CrushMap& map, uint32_t x, std::span<const uint32_t> weights,
         const CrushChooseArgs* args)
      : map_(map), x_(x), weights_(weights), args_(args) {
    const auto& t = map.tunables;
    choose_tries_ = static_cast<int>(t.choose_total_tries) + 1;
    local_retries_ = static_cast<int>(t.choose_local_tries);
    local_fallback_retries_ = static_cast<int>(t.choose_local_fallback_tries);
    vary_r_ = std::min<int>(t.chooseleaf_vary_r, 32);
    stable_ = t.chooseleaf_stable;
  }

  std::vector<CrushItem> run(const CrushRule& rule, int result_max);

 private:
  struct Retries {
    int tries;
    int local;
    int local_fallback;
  };

  bool is_out(CrushItem osd) const {
    if (static_cast<size_t>(osd) >= weights_.size()) return true;
    const uint32_t w = weights_[osd];
    if (w >= 0x10000) return false;
    if (w == 0) return true;
    return (rjenkins2(x_, static_cast<uint32_t>(osd)) & 0xffff) >= w;
  }

  CrushItem choose(const CrushBucket& b, int r, int position) const;
  void set_tunable(const CrushStep& step);
  std::vector<CrushItem> choose_step(const CrushStep& step, const std::vector<CrushItem>& from,
                                     int result_max);
  int firstn(const CrushBucket& from, int numrep, int type, CrushItem* out, int outpos, int slots,
             Retries retries, int leaf_tries, CrushItem* leaves, int parent_r);
  bool firstn_one(const CrushBucket& from, int rep, int type, CrushItem* out, int outpos, int slots,
                  Retries retries, int leaf_tries, CrushItem* leaves, int parent_r);
  void indep(const CrushBucket& from, int left, int numrep, int type, CrushItem* out, int outpos,
             int tries, int leaf_tries, CrushItem* leaves, int parent_r);
  bool indep_one(const CrushBucket& from, int rep, int round, int numrep, int type, CrushItem* out,
                 int outpos, int endpos, int leaf_tries, CrushItem* leaves, int parent_r);

  const CrushMap& map_;
  uint32_t x_;
  std::span<const uint32_t> weights_;
  const CrushChooseArgs* args_;
  int choose_tries_;
  int leaf_tries_ = 0;
  int local_retries_;
  int local_fallback_retries_;
  int vary_r_;
  int stable_;
};

CrushItem Mapper::choose(const CrushBucket& b, int r, int position) const {
  switch (b.alg) {
    case BucketAlg::kUniform:
      return choose_permuted(b, x_, r);
    case BucketAlg::kList:
      return choose_list(b, x_, r);
    case BucketAlg::kTree:
      return choose_tree(b, x_, r);
    case BucketAlg::kStraw:
      return choose_straw(b, x_, r);
    case BucketAlg::kStraw2:
      break;
  }
  const CrushWeightSet* set = nullptr;
  if (args_) {
    auto it = args_->find(b.id);
    if (it != args_->end()) set = &it->second;
  }
  return choose_straw2(b, x_, r, set, position);
}

/// Finds the item for one replica; false when the tries are used up.
bool Mapper::firstn_one(const CrushBucket& from, int rep, int type, CrushItem* out, int outpos,
                        int slots, Retries retries, int leaf_tries, CrushItem* leaves,
                        int parent_r) {
  int failures = 0;
  for (;;) {  // each round starts again at the top
    const CrushBucket* in = &from;
    int local_failures = 0;
    for (;;) {  // each round chooses in one bucket
      const int r = rep + parent_r + failures;
      bool rejected = in->items.empty(), collided = false;
      CrushItem item = 0;
      if (!rejected) {
        const int size = static_cast<int>(in->items.size());
        const bool permuted = retries.local_fallback > 0 && local_failures >= (size >> 1) &&
                              local_failures > retries.local_fallback;
        item = permuted ? choose_permuted(*in, x_, r) : choose(*in, r, outpos);
        if (item >= map_.max_devices) return false;
        const CrushBucket* b = map_.bucket(item);
        if (item < 0 && !b) return false;
        const int item_type = b ? b->type : 0;
        if (item_type != type) {
          if (!b) return false;
          in = b;
          continue;
        }
        collided = std::find(out, out + outpos, item) != out + outpos;
        if (!collided && leaves) {
          if (b) {
            const int sub_r = vary_r_ ? r >> (vary_r_ - 1) : 0;
            const Retries leaf{leaf_tries, retries.local, retries.local_fallback};
            rejected = firstn(*b, stable_ ? 1 : outpos + 1, 0, leaves, outpos, slots, leaf, 0,
                              nullptr, sub_r) <= outpos;
          } else {
            leaves[outpos] = item;
          }
        }
        if (!rejected && !collided && item_type == 0) rejected = is_out(item);
      }
      if (!rejected && !collided) {
        out[outpos] = item;
        return true;
      }
      failures++;
      local_failures++;
      const bool retry_here =
          (collided && local_failures <= retries.local) ||
          (retries.local_fallback > 0 &&
           local_failures <= static_cast<int>(in->items.size()) + retries.local_fallback);
      if (retry_here) continue;
      if (failures >= retries.tries) return false;
      break;
    }
  }
}

int Mapper::firstn(const CrushBucket& from, int numrep, int type, CrushItem* out, int outpos,
                   int slots, Retries retries, int leaf_tries, CrushItem* leaves, int parent_r) {
  for (int rep = stable_ ? 0 : outpos; rep < numrep && slots > 0; rep++) {
    if (firstn_one(from, rep, type, out, outpos, slots, retries, leaf_tries, leaves, parent_r)) {
      outpos++;
      slots--;
    }
  }
  return outpos;
}

/// One attempt at one position; true when the position is settled.
bool Mapper::indep_one(const CrushBucket& from, int rep, int round, int numrep, int type,
                       CrushItem* out, int outpos, int endpos, int leaf_tries, CrushItem* leaves,
                       int parent_r) {
  auto settle_as_hole = [&] {
    out[rep] = kCrushNone;
    if (leaves) leaves[rep] = kCrushNone;
    return true;
  };
  const CrushBucket* in = &from;
  for (;;) {
    // A uniform bucket whose size n divides would hand out the same items in every round.
    const bool shift =
        in->alg == BucketAlg::kUniform && static_cast<int>(in->items.size()) % numrep == 0;
    const uint32_t step = static_cast<uint32_t>(numrep) + (shift ? 1 : 0);
    const int r = static_cast<int>(static_cast<uint32_t>(rep) + static_cast<uint32_t>(parent_r) +
                                   step * static_cast<uint32_t>(round));
    if (in->items.empty()) return false;
    const CrushItem item = choose(*in, r, outpos);
    if (item >= map_.max_devices) return settle_as_hole();
    const CrushBucket* b = map_.bucket(item);
    if (item < 0 && !b) return settle_as_hole();
    const int item_type = b ? b->type : 0;
    if (item_type != type) {
      if (!b) return settle_as_hole();
      in = b;
      continue;
    }
    if (std::find(out + outpos, out + endpos, item) != out + endpos) return false;
    if (leaves) {
      if (b) {
        indep(*b, 1, numrep, 0, leaves, rep, leaf_tries, 0, nullptr, r);
        if (leaves[rep] == kCrushNone) return false;
      } else {
        leaves[rep] = item;
      }
    }
    if (item_type == 0 && is_out(item)) return false;
    out[rep] = item;
    return true;
  }
}

void Mapper::indep(const CrushBucket& from, int left, int numrep, int type, CrushItem* out,
                   int outpos, int tries, int leaf_tries, CrushItem* leaves, int parent_r) {
  const int endpos = outpos + left;
  for (int rep = outpos; rep < endpos; rep++) {
    out[rep] = kUndefined;
    if (leaves) leaves[rep] = kUndefined;
  }
  for (int round = 0; left > 0 && round < tries; round++) {
    for (int rep = outpos; rep < endpos; rep++) {
      if (out[rep] != kUndefined) continue;
      if (indep_one(from, rep, round, numrep, type, out, outpos, endpos, leaf_tries, leaves,
                    parent_r))
        left--;
    }
  }
  for (int rep = outpos; rep < endpos; rep++) {
    if (out[rep] == kUndefined) out[rep] = kCrushNone;
    if (leaves && leaves[rep] == kUndefined) leaves[rep] = kCrushNone;
  }
}

void Mapper::set_tunable(const CrushStep& step) {
  switch (step.op) {
    case CrushOp::kSetChooseTries:
      if (step.arg1 > 0) choose_tries_ = step.arg1;
      break;
    case CrushOp::kSetChooseleafTries:
      if (step.arg1 > 0) leaf_tries_ = step.arg1;
      break;
    case CrushOp::kSetChooseLocalTries:
      if (step.arg1 >= 0) local_retries_ = step.arg1;
      break;
    case CrushOp::kSetChooseLocalFallbackTries:
      if (step.arg1 >= 0) local_fallback_retries_ = step.arg1;
      break;
    case CrushOp::kSetChooseleafVaryR:
      if (step.arg1 >= 0) vary_r_ = std::min(step.arg1, 32);
      break;
    case CrushOp::kSetChooseleafStable:
      if (step.arg1 >= 0) stable_ = step.arg1;
      break;
    default:
      break;
  }
}

/// A choose step: each input bucket in turn, numbered afresh, until result_max items are there.
std::vector<CrushItem> Mapper::choose_step(const CrushStep& step,
                                           const std::vector<CrushItem>& from, int result_max) {
  const bool is_firstn = step.op == CrushOp::kChooseFirstn || step.op == CrushOp::kChooseleafFirstn;
  const bool to_leaf =
      step.op == CrushOp::kChooseleafFirstn || step.op == CrushOp::kChooseleafIndep;
  std::vector<CrushItem> out(result_max, 0), leaves(result_max, 0);
  int size = 0;
  for (CrushItem take : from) {
    int numrep = step.arg1;
    if (numrep <= 0) numrep += result_max;
    const CrushBucket* b = map_.bucket(take);
    if (numrep <= 0 || !b) continue;
    CrushItem* o = out.data() + size;
    CrushItem* leaf = to_leaf ? leaves.data() + size : nullptr;
    if (is_firstn) {
      const int leaf_tries = leaf_tries_                             ? leaf_tries_
                             : map_.tunables.chooseleaf_descend_once ? 1
                                                                     : choose_tries_;
      const Retries retries{choose_tries_, local_retries_, local_fallback_retries_};
      size += firstn(*b, numrep, step.arg2, o, 0, result_max - size, retries, leaf_tries, leaf, 0);
    } else {
      const int n = std::min(numrep, result_max - size);
      indep(*b, n, numrep, step.arg2, o, 0, choose_tries_, leaf_tries_ ? leaf_tries_ : 1, leaf, 0);
      size += n;
    }
  }
  auto& chosen = to_leaf ? leaves : out;
  chosen.resize(size);
  return std::move(chosen);
}

std::vector<CrushItem> Mapper::run(const CrushRule& rule, int result_max) {
  std::vector<CrushItem> result, working;
  for (const auto& step : rule.steps) {
    switch (step.op) {
      case CrushOp::kTake:
        if (step.arg1 >= 0 ? step.arg1 < map_.max_devices : map_.bucket(step.arg1) != nullptr)
          working = {step.arg1};
        break;
      case CrushOp::kChooseFirstn:
      case CrushOp::kChooseIndep:
      case CrushOp::kChooseleafFirstn:
      case CrushOp::kChooseleafIndep:
        if (!working.empty()) working = choose_step(step, working, result_max);
        break;
      case CrushOp::kEmit:
        for (size_t i = 0; i < working.size() && static_cast<int>(result.size()) < result_max; i++)
          result.push_back(working[i]);
        working.clear();
        break;
      default:
        set_tunable(step);
        break;
    }
  }
  return result;
}

}  // namespace

int64_t crush_ln(uint32_t u) {
  uint32_t x = u + 1;
  int exponent = 15;
  if (!(x & 0x18000)) {
    const int shift = std::countl_zero(x) - 16;
    x <<= shift;
    exponent = 15 - shift;
  }
  const uint32_t index = (x >> 8) - 128;
  const uint64_t fraction = static_cast<uint64_t>((u128(x) * kLn.reciprocal[index]) >> 48) & 0xff;
  return static_cast<int64_t>((static_cast<uint64_t>(exponent) << 44) +
                              ((kLn.high[index] + kLn.low[fraction]) >> 4));
}

std::vector<CrushItem> crush_do_rule(const CrushMap& map, int rule_id, uint32_t x, int result_max,
                                     std::span<const uint32_t> weights,
                                     const CrushChooseArgs* choose_args) {
  const CrushRule* rule = map.rule(rule_id);
  if (!rule || result_max <= 0) return {};
  return Mapper(map, x, weights, choose_args).run(*rule, result_max);
}

}  // namespace plimsoll::map
