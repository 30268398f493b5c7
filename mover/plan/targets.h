// SPDX-License-Identifier: LGPL-2.1-or-later
// Targets: for each scope that a position may take a device from, the devices that receive, the
// emptiest first. Made when first asked for, kept in order as the plan grows.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "mover/plan/groups.h"
#include "mover/plan/rule.h"

namespace plimsoll::mover {

class Targets {
 public:
  using Ordered = std::set<std::pair<double, OsdId>>;

  explicit Targets(const Book& book);
  /// Valid for as long as this object; changes with update().
  const Ordered& of(const Scope& scope, const Rule& rule);
  /// All devices of a group, senders too.
  const Ordered& of(const Group& group);
  /// After the device's use changed.
  void update(OsdId osd);

 private:
  void add(Ordered& set, OsdId osd);

  const Book& book_;
  std::map<Scope, Ordered> sets_;
  std::map<const Group*, Ordered> groups_;
  std::set<std::pair<map::CrushItem, int>> built_;  ///< root and type
  std::vector<std::vector<Ordered*>> sets_of_;
  std::vector<double> key_;
};

}  // namespace plimsoll::mover
