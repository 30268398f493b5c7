// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan/explain.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/size_text.h"

namespace plimsoll::mover {

namespace {

bool is_chosen(const Goal& goal, OsdId osd) {
  return goal.devices.empty() || goal.devices.count(osd) > 0;
}

std::string percent(double fill) {
  return fmt::format("{:.1f}%", fill * 100);
}

/// What the goal leaves undone on a device.
struct Rest {
  uint64_t bytes = 0;
  uint64_t shards = 0;  ///< of a device to drain; they may have no bytes
};

Rest left_to_drain(const Book& book, OsdId osd) {
  Rest out;
  book.for_each_position(osd, [&](const Shard& s) {
    if (book.has_left(osd, s.pg)) return;
    out.bytes += s.bytes;
    out.shards++;
  });
  return out;
}

Rest rest_of(const Book& book, const std::vector<Group>& groups, OsdId osd) {
  const Goal& goal = book.goal();
  const Row& row = book.rows()[osd];
  const auto use = static_cast<double>(row.final_), size = static_cast<double>(row.size);
  const double mean = row.group >= 0 ? groups[row.group].mean() : row.fill();
  double bytes = 0;
  switch (goal.kind) {
    case GoalKind::kDrain:
      return goal.devices.count(osd) ? left_to_drain(book, osd) : Rest{};
    case GoalKind::kFill:
      if (goal.devices.count(osd)) bytes = (mean - goal.within) * size - use;
      break;
    case GoalKind::kBalance:
      if (row.asked)
        bytes = use - (mean + goal.within) * size;
      else if (row.receives)
        bytes = (mean - goal.within) * size - use;
      break;
    default:
      // A device below no root of a pool is no source, but may be too full all the same.
      if (row.asked || (row.group < 0 && row.fill() > goal.above && is_chosen(goal, osd)))
        bytes = use - goal.to * size;
  }
  return {bytes > 0 ? static_cast<uint64_t>(bytes) : 0, 0};
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

Block block_of(Book& book, const std::vector<Group>& groups, OsdId osd, bool fed,
               bool limit_reached, Block main) {
  const Goal& goal = book.goal();
  const Row& row = book.rows()[osd];
  const auto fixed = static_cast<double>(book.state().devices[osd].fixed);
  if (limit_reached) return Block::kLimitReached;
  if (fed && !row.receives) return Block::kTargetUnfit;
  if (goal.kind != GoalKind::kRelieve && goal.kind != GoalKind::kBalance) return main;
  if (row.group < 0 || (!fed && fixed > row.aim * static_cast<double>(row.size)))
    return Block::kUnexplained;
  const Group& group = groups[row.group];
  if (goal.kind == GoalKind::kRelieve && group.too_full && group.mean() > goal.to)
    return Block::kMeanAboveGoal;
  return main;
}

Blocked explain_device(Book& book, const std::vector<Group>& groups, OsdId osd, Rest rest,
                       bool limit_reached) {
  const Goal& goal = book.goal();
  const Row& row = book.rows()[osd];
  const bool fed = goal.kind == GoalKind::kFill || (goal.kind == GoalKind::kBalance && !row.source);
  if (!fed) book.shards(osd);  // at the latest now its causes are tallied
  const Causes& causes = book.causes(osd);
  const auto [main, cause] = main_cause(causes, fed ? Block::kNoSource : Block::kNoTarget);
  Blocked out;
  out.osd = osd;
  out.block = block_of(book, groups, osd, fed, limit_reached, main);
  out.bytes = rest.bytes;
  out.shards = out.block == main ? cause.shards : 0;
  if (goal.kind == GoalKind::kDrain)
    out.detail =
        fmt::format("osd.{} keeps {} shards of {}", osd, rest.shards, bytes_text(rest.bytes));
  else
    out.detail = fmt::format("osd.{} stays at {}, {} {} the goal", osd, percent(row.fill()),
                             bytes_text(rest.bytes), fed ? "short of" : "above");
  out.detail += fmt::format(": {}", block_text(out.block));
  if (out.block == Block::kMeanAboveGoal)
    out.detail += fmt::format(" ({} is at {}, the goal is {})", groups[row.group].name,
                              percent(groups[row.group].mean()), percent(goal.to));
  if (out.block == Block::kUnexplained)
    out.detail += fmt::format(" ({})", bytes_text(book.state().devices[osd].fixed));
  out.detail += other_causes(causes, out.block);
  return out;
}

}  // namespace

std::vector<Blocked> explain_blocked(Book& book, const std::vector<Group>& groups,
                                     bool limit_reached) {
  std::vector<Blocked> out;
  for (OsdId osd = 0; osd < book.num_osds(); osd++) {
    const Device& device = book.state().devices[osd];
    if (!device.exists) continue;
    if (device.size == 0) {
      if (!device.in || !is_chosen(book.goal(), osd)) continue;
      out.push_back({osd, PgId{-1, 0}, Block::kDeviceUnknown, 0, 0,
                     fmt::format("osd.{}: {}", osd, block_text(Block::kDeviceUnknown))});
      continue;
    }
    const Rest rest = rest_of(book, groups, osd);
    if (rest.bytes || rest.shards)
      out.push_back(explain_device(book, groups, osd, rest, limit_reached));
  }
  return out;
}

namespace {

/// Where a target is named, its sentence is of that one.
const char* refusal_text(Block block) {
  switch (block) {
    case Block::kFailureDomain:
      return "the target does not stand apart from the other shards as the rule wants";
    case Block::kTargetUnfit:
      return "the target is down, out, cordoned, or not chosen";
    default:
      return block_text(block);
  }
}

}  // namespace

Blocked explain_refusal(const Book& book, Block block) {
  const HandMove& m = *book.goal().move;
  Blocked out{m.from, m.pg, block, 0, 1, ""};
  out.detail = fmt::format("PG {} cannot move from osd.{} to osd.{}: {}", m.pg.to_string(), m.from,
                           m.to, refusal_text(block));
  if (block == Block::kTargetFull)
    out.detail += fmt::format(" (osd.{} is at {} and has room for {})", m.to,
                              percent(book.rows()[m.to].fill()), bytes_text(book.room(m.to)));
  return out;
}

}  // namespace plimsoll::mover
