// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/waves.h"

#include <algorithm>

namespace plimsoll::mover {

namespace {

class Schedule {
 public:
  explicit Schedule(const WaveLimits& limits)
      : limits_(limits), level_(limits.level), out_(level_.size()), in_(level_.size()) {}

  bool fits(const Move& m) const {
    const bool bytes =
        limits_.wave_bytes == 0 || bytes_ == 0 || bytes_ + m.bytes <= limits_.wave_bytes;
    return bytes && out_[m.from] < limits_.backfills && in_[m.to] < limits_.backfills &&
           level_[m.to] + m.bytes <= limits_.cap[m.to];
  }
  void add(const Move& m) {
    level_[m.to] += m.bytes;
    out_[m.from]++;
    in_[m.to]++;
    bytes_ += m.bytes;
  }
  /// What the wave has copied is deleted where it was.
  void finish(const std::vector<Move>& moves, size_t first) {
    for (size_t i = first; i < moves.size(); i++) {
      const Move& m = moves[i];
      level_[m.from] -= std::min(level_[m.from], m.bytes);
      out_[m.from] = in_[m.to] = 0;
    }
    bytes_ = 0;
  }

 private:
  const WaveLimits& limits_;
  std::vector<uint64_t> level_;
  std::vector<uint32_t> out_, in_;
  uint64_t bytes_ = 0;
};

/// Indices of the moves, the fullest source first, else as they came.
std::vector<uint32_t> by_urgency(const std::vector<Move>& moves, const WaveLimits& limits) {
  std::vector<std::pair<double, uint32_t>> order;
  for (uint32_t i = 0; i < moves.size(); i++) {
    const OsdId from = moves[i].from;
    const double size = static_cast<double>(limits.size[from]);
    order.emplace_back(size > 0 ? -static_cast<double>(limits.level[from]) / size : 0, i);
  }
  std::sort(order.begin(), order.end());
  std::vector<uint32_t> out;
  for (const auto& [fill, index] : order) out.push_back(index);
  return out;
}

}  // namespace

Waves make_waves(std::vector<Move> moves, const WaveLimits& limits) {
  std::vector<uint32_t> waiting = by_urgency(moves, limits);
  Schedule schedule(limits);
  Waves out;
  while (!waiting.empty()) {
    const size_t first = out.moves.size();
    std::vector<uint32_t> later;
    for (uint32_t index : waiting) {
      Move& m = moves[index];
      if (!schedule.fits(m)) {
        later.push_back(index);
        continue;
      }
      schedule.add(m);
      m.wave = out.count;
      out.moves.push_back(std::move(m));
    }
    waiting = std::move(later);
    if (out.moves.size() == first) break;
    schedule.finish(out.moves, first);
    out.count++;
  }
  for (uint32_t index : waiting) out.stuck.push_back(std::move(moves[index]));
  return out;
}

}  // namespace plimsoll::mover
