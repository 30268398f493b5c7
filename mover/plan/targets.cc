// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/targets.h"

namespace plimsoll::mover {

Targets::Targets(const Book& book)
    : book_(book), sets_of_(book.rows().size()), key_(book.rows().size()) {
  for (OsdId osd = 0; osd < book.num_osds(); osd++) key_[osd] = book.rows()[osd].fill();
}

void Targets::add(Ordered& set, OsdId osd) {
  set.emplace(key_[osd], osd);
  sets_of_[osd].push_back(&set);
}

const Targets::Ordered& Targets::of(const Scope& scope, const Rule& rule) {
  if (built_.emplace(scope.root, scope.type).second) {
    const auto* ancestors = scope.type ? book_.rules().domains().ancestors(scope.type) : nullptr;
    for (OsdId osd : rule.devices(scope.root)) {
      if (osd >= book_.num_osds()) continue;
      const Row& row = book_.rows()[osd];
      if (!row.receives || row.source) continue;
      add(sets_[{scope.root, scope.type, ancestors ? (*ancestors)[osd] : 0}], osd);
    }
  }
  return sets_[scope];
}

const Targets::Ordered& Targets::of(const Group& group) {
  const auto [it, is_new] = groups_.try_emplace(&group);
  if (is_new)
    for (OsdId osd : group.osds) add(it->second, osd);
  return it->second;
}

void Targets::update(OsdId osd) {
  const double fill = book_.rows()[osd].fill();
  for (Ordered* set : sets_of_[osd]) {
    auto node = set->extract({key_[osd], osd});
    node.value().first = fill;
    set->insert(std::move(node));
  }
  key_[osd] = fill;
}

}  // namespace plimsoll::mover
