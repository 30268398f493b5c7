// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/register_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace plimsoll::sim {

namespace {

/// Operations before and behind the place where a history breaks, in a complaint.
constexpr size_t kShown = 8;

std::string pieces_text(const Pieces& pieces) {
  if (!pieces) return "nothing";
  std::string out = "[";
  for (char32_t p : *pieces) out += fmt::format("{}{}", out.size() > 1 ? " " : "", uint32_t(p));
  return out + "]";
}

using Sizes = std::map<char32_t, uint64_t>;

uint64_t size_of(const std::u32string& pieces, const Sizes& sizes) {
  uint64_t sum = 0;
  for (char32_t p : pieces) sum += sizes.at(p);
  return sum;
}

/// The state after `op`, or false where its answer contradicts `state`.
bool apply(const RegisterOp& op, Pieces& state, const Sizes& sizes) {
  const bool existence_fits = !op.answered() || op.existed == state.has_value();
  switch (op.kind) {
    case RegisterOp::Kind::kWrite: state = std::u32string(1, op.piece); return true;
    case RegisterOp::Kind::kAppend:
      if (!state) state.emplace();
      state->push_back(op.piece);
      return true;
    case RegisterOp::Kind::kDelete: state.reset(); return existence_fits;
    case RegisterOp::Kind::kCreate:
      if (!state) state.emplace();
      return existence_fits;
    case RegisterOp::Kind::kRead: return !op.answered() || op.seen == state;
    case RegisterOp::Kind::kStat:
      return existence_fits && (!op.answered() || !state || op.size == size_of(*state, sizes));
  }
  return false;
}

class Search {
 public:
  explicit Search(const std::vector<RegisterOp>& ops) : ops_(ops), done_(ops.size(), false) {
    for (const auto& op : ops)
      if (op.piece) sizes_[op.piece] = op.size;
  }

  bool explain(const Pieces& state) {
    while (first_ < ops_.size() && done_[first_]) first_++;
    if (first_ > deepest_) {
      deepest_ = first_;
      deepest_state_ = state;
    }
    Duration earliest_return = Duration::max();
    size_t end = first_;
    bool answered_left = false;
    for (; end < ops_.size() && ops_[end].invoked <= earliest_return; end++) {
      if (done_[end]) continue;
      earliest_return = std::min(earliest_return, ops_[end].returned);
      answered_left = answered_left || ops_[end].answered();
    }
    if (!answered_left && end == ops_.size()) return true;
    for (size_t i = first_; i < end; i++) {
      if (done_[i] || ops_[i].invoked > earliest_return || overtakes(i)) continue;
      if (try_next(i, state)) return true;
    }
    return false;
  }
  size_t deepest() const { return deepest_; }
  const Pieces& deepest_state() const { return deepest_state_; }

 private:
  bool overtakes(size_t i) const {
    const RegisterOp& op = ops_[i];
    if (!op.in_order()) return false;
    for (size_t earlier = first_; earlier < i; earlier++)
      if (!done_[earlier] && ops_[earlier].in_order() && ops_[earlier].client == op.client)
        return true;
    return false;
  }
  bool try_next(size_t i, const Pieces& state) {
    Pieces next = state;
    if (!apply(ops_[i], next, sizes_)) return false;
    const size_t first = first_;
    done_[i] = true;
    const bool found = seen_.emplace(done_, next).second && explain(next);
    done_[i] = false;
    first_ = first;
    return found;
  }

  const std::vector<RegisterOp>& ops_;
  Sizes sizes_;
  std::vector<bool> done_;
  size_t first_ = 0;  ///< everything before is done
  std::set<std::pair<std::vector<bool>, Pieces>> seen_;
  size_t deepest_ = 0;
  Pieces deepest_state_;
};

}  // namespace

std::string RegisterOp::to_string() const {
  std::string what;
  switch (kind) {
    case Kind::kWrite: what = fmt::format("write {}", uint32_t(piece)); break;
    case Kind::kAppend: what = fmt::format("append {}", uint32_t(piece)); break;
    case Kind::kDelete: what = existed ? "delete" : "delete of nothing"; break;
    case Kind::kRead: what = "read " + pieces_text(seen); break;
    case Kind::kCreate: what = existed ? "create of what is there" : "create"; break;
    case Kind::kStat: what = existed ? fmt::format("stat {} bytes", size) : "stat nothing"; break;
  }
  return fmt::format("{} at {:.6f} .. {}", what, invoked.count() * 1e-9,
                     answered() ? fmt::format("{:.6f}", returned.count() * 1e-9) : "no answer");
}

std::optional<std::string> check_register(std::vector<RegisterOp> ops) {
  std::ranges::stable_sort(ops, {}, &RegisterOp::invoked);
  // Who asked and got no answer learnt nothing.
  std::erase_if(ops, [](const RegisterOp& op) { return !op.changes() && !op.answered(); });
  Search search(ops);
  if (search.explain(std::nullopt)) return std::nullopt;
  std::string out =
      fmt::format("of {} operations, with {} in the object, none of the later ones can follow:",
                  ops.size(), pieces_text(search.deepest_state()));
  const size_t before = search.deepest() - std::min(search.deepest(), kShown);
  const size_t end = std::min(ops.size(), search.deepest() + kShown);
  for (size_t i = before; i < end; i++)
    out += fmt::format("\n  {} {}", i < search.deepest() ? " " : ">", ops[i].to_string());
  return out;
}

}  // namespace plimsoll::sim
