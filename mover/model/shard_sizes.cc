// SPDX-License-Identifier: LGPL-2.1-or-later
// How many bytes each shard takes on its device.
#include <algorithm>
#include <optional>

#include "mover/model/state_builder.h"

namespace plimsoll::mover {

namespace {

/// BlueStore's default since 16.
constexpr uint64_t kDefaultUnit = 4096;
/// An OSD's factor may differ from the usual one by this much. Beyond, something else is on it
/// (leftovers of PGs that moved away): that stays unexplained instead of making its shards large.
constexpr double kMaxSpread = 2;

class Sizes {
 public:
  Sizes(const Dump& dump, State& state) : dump_(dump), state_(state) {
    reports_.resize(state.devices.size());
    for (const auto& [osd, report] : dump.osds)
      if (report.reported) reports_[osd] = &report;
  }

  void run() {
    estimate();
    find_factors();
    apply();
  }

 private:
  /// Has this OSD said what the PG's replica takes?
  std::optional<uint64_t> exact(OsdId osd, PgId pg) const {
    if (!reports_[osd]) return {};
    const auto& all = reports_[osd]->pg_allocated;
    auto it = std::lower_bound(all.begin(), all.end(), std::pair(pg, uint64_t{0}));
    if (it == all.end() || it->first != pg) return {};
    return it->second;
  }

  /// Who has the shard; its target where nobody does.
  OsdId holder(PgIndex pg, uint32_t position) const {
    const OsdId osd = state_.acting_of(pg)[position];
    return is_osd(osd) ? osd : state_.up_of(pg)[position];
  }
  bool is_osd(OsdId osd) const {
    return osd >= 0 && static_cast<size_t>(osd) < state_.devices.size();
  }

  uint64_t estimate_of(const PgReport& r, const Pool& pool, OsdId osd) const {
    const uint64_t unit = reports_[osd] && reports_[osd]->min_alloc_size
                              ? reports_[osd]->min_alloc_size
                              : kDefaultUnit;
    uint64_t bytes = r.num_objects * (unit / 2);
    if (!pool.info.is_erasure()) return bytes + r.num_bytes + r.num_omap_bytes;
    // Each object's end is filled up to a stripe, by half of one on average.
    return bytes + (r.num_bytes + r.num_objects * (pool.info.stripe_width / 2)) / pool.data_chunks;
  }

  void estimate() {
    state_.shard_bytes.assign(state_.up.size(), 0);
    is_exact_.assign(state_.up.size(), false);
    explained_.assign(state_.devices.size(), 0);
    receives_.assign(state_.devices.size(), false);
    auto report = dump_.pgs.begin();
    for (PgIndex pg = 0; pg < state_.num_pgs(); pg++) {
      while (report != dump_.pgs.end() && report->pgid < state_.pg_ids[pg]) ++report;
      if (report == dump_.pgs.end()) break;
      if (report->pgid == state_.pg_ids[pg]) estimate_pg(pg, *report);
    }
  }

  void estimate_pg(PgIndex pg, const PgReport& report) {
    const Pool& pool = state_.pools.at(report.pgid.pool);
    for (uint32_t i = 0; i < state_.width(pg); i++) {
      const OsdId up = state_.up_of(pg)[i];
      if (is_osd(up) && state_.acting_of(pg)[i] != up) receives_[up] = true;
      const OsdId osd = holder(pg, i);
      if (!is_osd(osd)) continue;
      const uint32_t at = state_.first_position[pg] + i;
      const auto known = exact(osd, report.pgid);
      is_exact_[at] = known.has_value();
      state_.shard_bytes[at] = known ? *known : estimate_of(report, pool, osd);
      if (!known && state_.acting_of(pg)[i] == osd) explained_[osd] += state_.shard_bytes[at];
    }
  }

  /// What an OSD's shards should sum up to; none where it does not say.
  std::optional<double> data_of(size_t osd) const {
    const OsdReport* r = reports_[osd];
    if (!r || explained_[osd] == 0 || !r->pg_allocated.empty()) return {};
    const uint64_t data = r->used_data + r->used_omap;
    return static_cast<double>(data ? data : r->used);
  }

  void find_factors() {
    factor_.assign(state_.devices.size(), 1);
    std::vector<double> settled;
    for (size_t osd = 0; osd < factor_.size(); osd++) {
      const auto data = data_of(osd);
      if (!data) continue;
      factor_[osd] = *data / static_cast<double>(explained_[osd]);
      if (!receives_[osd]) settled.push_back(factor_[osd]);
    }
    if (settled.empty()) return clamp_factors(1);
    auto middle = settled.begin() + static_cast<ptrdiff_t>(settled.size() / 2);
    std::nth_element(settled.begin(), middle, settled.end());
    clamp_factors(*middle);
  }

  /// Half of a copy that arrives counts among the data, but among no shard that is there: such an
  /// OSD has the usual factor at most.
  void clamp_factors(double usual) {
    for (size_t osd = 0; osd < factor_.size(); osd++)
      if (data_of(osd))
        factor_[osd] = std::clamp(factor_[osd], usual / kMaxSpread,
                                  receives_[osd] ? usual : usual * kMaxSpread);
      else
        factor_[osd] = reports_[osd] && !reports_[osd]->pg_allocated.empty() ? 1 : usual;
  }

  void apply() {
    std::vector<uint64_t> on(state_.devices.size());
    for (PgIndex pg = 0; pg < state_.num_pgs(); pg++) {
      for (uint32_t i = 0; i < state_.width(pg); i++) {
        const OsdId osd = holder(pg, i);
        if (!is_osd(osd)) continue;
        uint64_t& bytes = state_.shard_bytes[state_.first_position[pg] + i];
        if (!is_exact_[state_.first_position[pg] + i])
          bytes = static_cast<uint64_t>(static_cast<double>(bytes) * factor_[osd]);
        if (state_.acting_of(pg)[i] == osd) on[osd] += bytes;
      }
    }
    for (size_t osd = 0; osd < on.size(); osd++) {
      Device& d = state_.devices[osd];
      d.fixed = d.used > on[osd] ? d.used - on[osd] : 0;
    }
  }

  const Dump& dump_;
  State& state_;
  std::vector<const OsdReport*> reports_;
  std::vector<bool> is_exact_;       ///< by position
  std::vector<uint64_t> explained_;  ///< by OSD: sum of estimates
  std::vector<bool> receives_;       ///< by OSD: a copy is on its way to it
  std::vector<double> factor_;       ///< by OSD
};

}  // namespace

void size_shards(const Dump& dump, State& state) {
  Sizes(dump, state).run();
}

}  // namespace plimsoll::mover
