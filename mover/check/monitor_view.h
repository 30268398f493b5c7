// SPDX-License-Identifier: LGPL-2.1-or-later
// What a stock 16.2 monitor does with a pg_upmap_items entry once its command was answered with
// success: it looks again with every map and takes back, without a word, what it finds invalid. And
// what it keeps although it does nothing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "mover/check/below.h"

namespace plimsoll::mover {

class MonitorView {
 public:
  /// `map` with the entries in it outlives this.
  explicit MonitorView(const map::OSDMap& map) : map_(map) {}

  /// Why the monitor takes the PG's entry, or a pair of it, back. None: it stays as it is.
  std::optional<std::string> drops(PgId pg);

 private:
  using Roots = std::vector<Below>;
  const Roots& roots_of(int rule_id);
  std::optional<std::string> breaks_step(int rule_id, const map::CrushStep& step, int count,
                                         const std::vector<OsdId>& up);
  std::optional<std::string> breaks_rule(int rule_id, int size, const std::vector<OsdId>& up);
  std::optional<std::string> breaks_weights(int rule_id, const std::vector<OsdId>& up);

  const map::OSDMap& map_;
  std::map<int, Roots> roots_;  ///< by rule id
};

/// The first pair that the mapping skips: it would stay in the map and do nothing. `raw` is CRUSH's
/// answer. None: every pair takes effect.
std::optional<std::string> dead_pair(const map::UpmapItems& items, std::vector<OsdId> raw);

}  // namespace plimsoll::mover
