// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/size_text.h"

namespace plimsoll::mover {

namespace {

std::string percent(double fill) {
  return fmt::format("{:.1f}%", fill * 100);
}

/// What the goal leaves undone on a device, in bytes.
uint64_t short_by(Book& book, const std::vector<Group>& groups, OsdId osd) {
  const Goal& goal = book.goal();
  const Row& row = book.rows()[osd];
  const auto use = static_cast<double>(row.final_), size = static_cast<double>(row.size);
  double missing = 0;
  if (goal.kind == GoalKind::kFill) {
    if (row.receives) missing = (groups[row.group].mean() - goal.within) * size - use;
  } else if (goal.kind == GoalKind::kBalance) {
    const double mean = groups[row.group].mean();
    missing = row.source ? use - (mean + goal.within) * size : (mean - goal.within) * size - use;
  } else if (row.source) {
    missing = use - goal_fill(book, groups, osd) * size;
  }
  return missing > 0 ? static_cast<uint64_t>(missing) : 0;
}

/// The cause that most shards had.
std::pair<Block, Cause> main_cause(const Causes& causes, Block otherwise) {
  std::pair<Block, Cause> out{otherwise, {}};
  for (const auto& [block, cause] : causes)
    if (cause.shards > out.second.shards) out = {block, cause};
  return out;
}

std::string other_causes(const Causes& causes, Block main) {
  std::string out;
  for (const auto& [block, cause] : causes)
    if (block != main) out += fmt::format("; {} shards: {}", cause.shards, block_name(block));
  return out;
}

Blocked explain_device(Book& book, const Group& group, OsdId osd, uint64_t bytes,
                       bool limit_reached) {
  const Goal& goal = book.goal();
  const Row& row = book.rows()[osd];
  const Causes& causes = book.causes(osd);
  const bool fed = goal.kind == GoalKind::kFill || (goal.kind == GoalKind::kBalance && !row.source);
  auto [block, cause] = main_cause(causes, fed ? Block::kNoSource : Block::kNoTarget);
  const uint64_t fixed = book.state().devices[osd].fixed;
  if (limit_reached)
    block = Block::kLimitReached;
  else if (!fed && goal.kind != GoalKind::kDrain &&
           static_cast<double>(fixed) > row.aim * static_cast<double>(row.size))
    block = Block::kUnexplained;
  else if (group.too_full && goal.kind == GoalKind::kRelieve && group.mean() > goal.to)
    block = Block::kMeanAboveGoal;
  Blocked out;
  out.osd = osd;
  out.block = block;
  out.bytes = bytes;
  out.shards = cause.shards;
  out.detail =
      fmt::format("osd.{} stays at {}, {} {}: {}", osd, percent(row.fill()), bytes_text(bytes),
                  fed ? "short of the goal" : "above the goal", block_text(block));
  if (block == Block::kMeanAboveGoal)
    out.detail += fmt::format(" ({} is at {}, the goal is {})", group.name, percent(group.mean()),
                              percent(goal.to));
  if (block == Block::kUnexplained) out.detail += fmt::format(" ({})", bytes_text(fixed));
  out.detail += other_causes(causes, block);
  return out;
}

}  // namespace

std::vector<Blocked> explain_blocked(Book& book, const std::vector<Group>& groups,
                                     bool limit_reached) {
  std::vector<Blocked> out;
  const Goal& goal = book.goal();
  for (OsdId osd = 0; osd < book.num_osds(); osd++) {
    const Row& row = book.rows()[osd];
    const Device& device = book.state().devices[osd];
    if (device.exists && device.in && device.size == 0 &&
        (goal.devices.empty() || goal.devices.count(osd))) {
      out.push_back({osd, PgId{-1, 0}, Block::kDeviceUnknown, 0, 0,
                     fmt::format("osd.{}: {}", osd, block_text(Block::kDeviceUnknown))});
      continue;
    }
    if (row.group < 0) continue;
    const Group& group = groups[row.group];
    if (goal.kind == GoalKind::kDrain) {
      uint64_t bytes = 0, shards = 0;
      if (!row.source) continue;
      book.for_each_position(osd, [&](const Shard& s) {
        if (book.has_left(osd, s.pg)) return;
        bytes += s.bytes;
        shards++;
      });
      if (shards) out.push_back(explain_device(book, group, osd, bytes, limit_reached));
      continue;
    }
    if (const uint64_t bytes = short_by(book, groups, osd))
      out.push_back(explain_device(book, group, osd, bytes, limit_reached));
  }
  return out;
}

Blocked explain_refusal(const Book& book, Block block) {
  const HandMove& m = *book.goal().move;
  Blocked out{m.from, m.pg, block, 0, 1, ""};
  out.detail = fmt::format("PG {} cannot move from osd.{} to osd.{}: {}", m.pg.to_string(), m.from,
                           m.to, block_text(block));
  return out;
}

}  // namespace plimsoll::mover
