// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/groups.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace plimsoll::mover {

namespace {

/// Roots that rules of pools take from, each with the least root that it shares devices with.
std::map<map::CrushItem, map::CrushItem> join_roots(Book& book, std::vector<int>& root_of_osd) {
  std::map<map::CrushItem, map::CrushItem> joined;
  auto find = [&](map::CrushItem root) {
    while (joined.at(root) != root) root = joined.at(root);
    return root;
  };
  for (const auto& [id, pool] : book.state().pools) {
    const Rule& rule = book.rules().of(id);
    for (map::CrushItem root : rule.roots()) {
      if (!joined.emplace(root, root).second) continue;
      for (OsdId osd : rule.devices(root)) {
        if (osd >= book.num_osds()) continue;
        int& at = root_of_osd[osd];
        if (at == 0) {
          at = root;
          continue;
        }
        const map::CrushItem a = find(at), b = find(root);
        joined.at(std::max(a, b)) = std::min(a, b);
      }
    }
  }
  for (auto& [root, to] : joined) to = find(root);
  return joined;
}

/// Room of the group's receivers below a fill, as Book::room().
uint64_t room_below(const Book& book, const Group& group, double fill) {
  double sum = 0;
  for (OsdId osd : group.osds) {
    const Row& row = book.rows()[osd];
    if (!row.receives || row.source) continue;
    const double size = static_cast<double>(row.size);
    sum += std::max(0.0, std::min(fill * size - static_cast<double>(row.final_),
                                  book.peak_limit() * size - static_cast<double>(row.peak)));
  }
  return static_cast<uint64_t>(sum);
}

uint64_t excess_above(const Book& book, const Group& group, double fill) {
  double sum = 0;
  for (OsdId osd : group.osds)
    if (const Row& row = book.rows()[osd]; row.source)
      sum += std::max(0.0, static_cast<double>(row.final_) - fill * static_cast<double>(row.size));
  return static_cast<uint64_t>(sum);
}

/// The lowest fill that all sources can come down to, given so much room.
double reachable_aim(const Book& book, const Group& group, double to, uint64_t room) {
  double low = to, high = 2;
  for (int i = 0; i < 40; i++) {
    const double middle = (low + high) / 2;
    (excess_above(book, group, middle) > room ? low : high) = middle;
  }
  return high;
}

bool is_chosen(const Book& book, OsdId osd) {
  const auto& chosen = book.goal().devices;
  return chosen.empty() || chosen.count(osd) > 0;
}

/// Devices above a fill are asked to give, and do.
void mark_sources(Book& book, const Group& group, double above) {
  for (OsdId osd : group.osds) {
    Row& row = book.rows()[osd];
    row.asked = row.source = is_chosen(book, osd) && row.fill() > above;
  }
}

/// Shards are not sand: what fills a device to the brim wants a little more than the sum.
constexpr double kSlack = 1.02;
/// Above the mean, where the goal is below it.
constexpr double kAboveMean = 0.005;

void limit_relieve(Book& book, Group& group) {
  const Goal& goal = book.goal();
  mark_sources(book, group, goal.above);
  double limit = goal.to, aim = goal.to;
  const auto wanted = static_cast<double>(excess_above(book, group, goal.to));
  if (static_cast<double>(room_below(book, group, limit)) < wanted * kSlack) {
    limit = std::min(book.peak_limit(), std::max(goal.above, group.mean() + kAboveMean));
    limit = std::max(limit, goal.to);
    // With a mean above the goal those who are a little above it take from those far above it.
    for (OsdId osd : group.osds)
      if (Row& row = book.rows()[osd]; row.fill() <= limit) row.source = false;
    const auto room = static_cast<double>(room_below(book, group, limit)) / kSlack;
    group.too_full = room < wanted;
    if (group.too_full) aim = reachable_aim(book, group, goal.to, static_cast<uint64_t>(room));
  }
  for (OsdId osd : group.osds) {
    book.rows()[osd].aim = aim;
    book.rows()[osd].limit = limit;
  }
}

void limit_balance(Book& book, Group& group) {
  const double high = group.mean() + book.goal().within;
  mark_sources(book, group, high);
  for (OsdId osd : group.osds) {
    book.rows()[osd].aim = high;
    book.rows()[osd].limit = high;
  }
}

/// Without a limit of the goal's own, receivers stay below nearfull.
double common_limit(const Book& book) {
  return book.goal().peak_limit > 0 ? book.peak_limit()
                                    : std::min(book.peak_limit(), book.state().nearfull_ratio);
}

void limit_drain(Book& book, Group& group) {
  for (OsdId osd : group.osds) {
    Row& row = book.rows()[osd];
    row.asked = row.source = book.goal().devices.count(osd) > 0;
    if (row.source) row.receives = false;
    row.aim = row.source ? 0 : 1;
    row.limit = common_limit(book);
  }
  group.too_full = static_cast<double>(room_below(book, group, common_limit(book))) <
                   static_cast<double>(excess_above(book, group, 0));
}

void limit_fill(Book& book, Group& group) {
  for (OsdId osd : group.osds) {
    Row& row = book.rows()[osd];
    const bool filled = book.goal().devices.count(osd) > 0;
    row.receives = row.receives && filled;
    row.source = !filled;
    row.aim = group.mean();
    row.limit = group.mean() + book.goal().within;
  }
}

}  // namespace

std::vector<Group> find_groups(Book& book) {
  std::vector<int> root_of_osd(book.rows().size(), 0);
  const auto joined = join_roots(book, root_of_osd);
  std::map<map::CrushItem, int> index;
  std::vector<Group> groups;
  for (const auto& [root, to] : joined) {
    const auto [it, is_new] = index.emplace(to, static_cast<int>(groups.size()));
    if (is_new) groups.emplace_back();
    std::string& name = groups[it->second].name;
    name += (name.empty() ? "" : "+") + book.state().crush->item_name(root);
  }
  for (OsdId osd = 0; osd < book.num_osds(); osd++) {
    Row& row = book.rows()[osd];
    if (root_of_osd[osd] == 0 || row.size == 0) continue;
    row.group = index.at(joined.at(root_of_osd[osd]));
    Group& group = groups[row.group];
    group.osds.push_back(osd);
    group.size += row.size;
    group.final_ += row.final_;
  }
  return groups;
}

double goal_fill(const Book& book, const std::vector<Group>& groups, OsdId osd) {
  switch (book.goal().kind) {
    case GoalKind::kRelieve:
      return book.goal().to;
    case GoalKind::kBalance:
      return groups[book.rows()[osd].group].mean() + book.goal().within;
    default:
      return 0;
  }
}

namespace {

void set_limits(Book& book, Group& group) {
  switch (book.goal().kind) {
    case GoalKind::kRelieve:
      limit_relieve(book, group);
      break;
    case GoalKind::kBalance:
      limit_balance(book, group);
      break;
    case GoalKind::kDrain:
      limit_drain(book, group);
      break;
    case GoalKind::kFill:
      limit_fill(book, group);
      break;
    case GoalKind::kMove:
      for (OsdId osd : group.osds) book.rows()[osd].limit = common_limit(book);
      break;
  }
}

}  // namespace

void set_limits(Book& book, std::vector<Group>& groups) {
  for (Group& group : groups) {
    set_limits(book, group);
    for (OsdId osd : group.osds) {
      double& limit = book.rows()[osd].limit;
      limit = std::min(limit, book.peak_limit());
    }
  }
}

}  // namespace plimsoll::mover
