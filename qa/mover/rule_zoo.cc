// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/mover/rule_zoo.h"

#include <fmt/format.h>

#include "common/map/test_maps.h"

namespace plimsoll::mover {

namespace {

using map::CrushOp;
using map::CrushStep;

constexpr int kOsdType = 0, kHost = 1, kRack = 3;
const CrushStep kEmit{CrushOp::kEmit, 0, 0};

CrushStep take(map::CrushItem root) {
  return {CrushOp::kTake, root, 0};
}
CrushStep choose(int count, int type) {
  return {CrushOp::kChooseFirstn, count, type};
}
CrushStep leaf(int count, int type) {
  return {CrushOp::kChooseleafFirstn, count, type};
}

void add(map::OSDMap& m, map::CrushMap& crush, std::string name, uint8_t type, uint8_t size,
         std::vector<CrushStep> steps) {
  const auto id = static_cast<uint8_t>(crush.rules.size());
  if (type == map::kPoolErasure)
    for (CrushStep& s : steps) {
      if (s.op == CrushOp::kChooseFirstn) s.op = CrushOp::kChooseIndep;
      if (s.op == CrushOp::kChooseleafFirstn) s.op = CrushOp::kChooseleafIndep;
    }
  crush.rules.push_back(map::CrushRule{
      .ruleset = id, .type = type, .min_size = 1, .max_size = 10, .steps = std::move(steps)});
  crush.rule_names[id] = name;
  map::add_pool(m, name, type, size, id, 256, 256);
}

}  // namespace

map::OSDMap make_rule_zoo() {
  // Six racks of two hosts with four OSDs, of class c0 and c1 in turn.
  map::OSDMap m =
      map::make_cluster({.hosts = 12, .osds_per_host = 4, .hosts_per_rack = 2, .classes = 2});
  map::CrushMap crush = *m.crush;
  const auto all = *crush.find_item("default");
  const auto c0 = *crush.find_item("default~c0"), c1 = *crush.find_item("default~c1");
  const auto rack0 = *crush.find_item("rack0"), rack1 = *crush.find_item("rack1");
  for (const uint8_t type : {map::kPoolReplicated, map::kPoolErasure}) {
    auto make = [&](const char* name, uint8_t size, std::vector<CrushStep> steps) {
      add(m, crush, fmt::format("{}_{}", name, type == map::kPoolErasure ? "ec" : "rep"), type,
          size, std::move(steps));
    };
    make("racks", 3, {take(all), leaf(0, kRack), kEmit});
    make("hosts_of_class", 4, {take(c0), leaf(0, kHost), kEmit});
    make("osds", 3, {take(all), choose(0, kOsdType), kEmit});
    make("nested", 4, {take(all), choose(2, kRack), leaf(2, kHost), kEmit});
    make("three_levels", 8,
         {take(all), choose(2, kRack), choose(2, kHost), choose(2, kOsdType), kEmit});
    make("hybrid", 3, {take(c1), leaf(1, kHost), kEmit, take(c0), leaf(-1, kHost), kEmit});
    make("same_root_twice", 4,
         {take(all), leaf(2, kHost), kEmit, take(all), leaf(-2, kHost), kEmit});
    make("two_racks", 3, {take(rack0), leaf(1, kHost), kEmit, take(rack1), leaf(-1, kHost), kEmit});
  }
  CHECK(crush.reweight("osd.5", 0).has_value());
  m.crush = map::SharedCrush(std::move(crush));
  m.osd_weight[9] = map::kOsdOut;
  m.osd_weight[14] = map::kOsdIn / 2;
  m.osd_state[18] = map::kOsdExists;
  m.osd_state[21] = 0;
  m.osd_weight[21] = map::kOsdOut;
  return m;
}

}  // namespace plimsoll::mover
