// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/assert.h"
#include "mover/plan/plan.h"

namespace plimsoll::mover {

namespace {

struct BlockTexts {
  Block block;
  const char* name;
  const char* text;
};

constexpr BlockTexts kBlocks[] = {
    {Block::kNoTarget, "no-target", "every device that the rule allows would pass its limit"},
    {Block::kNoSource, "no-source",
     "no device of its root has a shard that fits and is itself above the mean"},
    {Block::kMeanAboveGoal, "mean-above-goal",
     "the devices that share the rule's root are on average above the goal"},
    {Block::kShardTooLarge, "shard-too-large",
     "its shards are larger than the room of any target: the pool has too few PGs"},
    {Block::kFailureDomain, "failure-domain",
     "no device with room stands apart from the other shards of its PG as the rule wants"},
    {Block::kTwoTakes, "two-takes",
     "the takes of the CRUSH rule count as too many buckets to monitors, which drop every upmap "
     "entry for it"},
    {Block::kNestedChoose, "nested-choose",
     "the CRUSH rule has more levels than monitors understand: they drop every upmap entry for it"},
    {Block::kRuleNotUnderstood, "rule-not-understood",
     "the CRUSH rule does not exist or has steps that the planner does not know"},
    {Block::kRuleViolated, "rule-violated", "the PG does not follow its CRUSH rule now"},
    {Block::kSwapOfShards, "swap-of-shards",
     "shards of the PG would change places, which upmap pairs cannot say"},
    {Block::kPgNotActive, "pg-not-active", "the PG is not active"},
    {Block::kPgDegraded, "pg-degraded", "the PG lacks good copies: its repair comes first"},
    {Block::kPgMoving, "pg-moving", "the PG is on its way already"},
    {Block::kPgIncomplete, "pg-incomplete", "the PG has fewer members than the pool's size"},
    {Block::kPgPinned, "pg-pinned", "an entry in pg_upmap pins the PG"},
    {Block::kPgUnreported, "pg-unreported", "nothing is reported of the PG: its size is unknown"},
    {Block::kPoolSplitting, "pool-splitting", "the number of PGs of the pool is changing"},
    {Block::kLastCopy, "last-copy", "the pool has size 1: the only copy stays where it is"},
    {Block::kPgInPlan, "pg-in-plan",
     "another shard of the PG moves in this plan: plan again when that is done"},
    {Block::kTargetInUp, "target-in-up",
     "the target holds another shard of the PG: the entry would stay dead"},
    {Block::kTargetNotInRule, "target-not-in-rule",
     "the target is outside of the rule's root or device class, or has no weight"},
    {Block::kTargetFull, "target-full", "the target would pass its limit"},
    {Block::kTargetUnfit, "target-unfit",
     "what the rule allows is too full itself, down, out, cordoned, of unknown size, or not "
     "chosen"},
    {Block::kSourceNotInUp, "source-not-in-up", "the PG has no shard on the source"},
    {Block::kDeviceUnknown, "device-unknown", "no size or use is reported for the device"},
    {Block::kNotChosen, "not-chosen", "its PGs are of pools that the goal leaves alone"},
    {Block::kLimitReached, "limit-reached", "the plan has reached its limit of bytes or moves"},
    {Block::kUnexplained, "unexplained",
     "most of its use is of no PG that the cluster reports: it cannot be moved"},
};

const BlockTexts& texts_of(Block block) {
  for (const BlockTexts& t : kBlocks)
    if (t.block == block) return t;
  check_failed("every block has texts", __FILE__, __LINE__, "");
}

}  // namespace

const char* block_name(Block block) {
  return texts_of(block).name;
}
const char* block_text(Block block) {
  return texts_of(block).text;
}

const char* why_text(Why why) {
  switch (why) {
    case Why::kBestFit:
      return "best fit";
    case Why::kLargest:
      return "largest";
    case Why::kPair:
      return "one of two that fit together";
    case Why::kSwap:
      return "makes room for another";
    case Why::kDrained:
      return "drained";
    case Why::kFills:
      return "fills the target";
    case Why::kByHand:
      return "by hand";
  }
  check_failed("a reason", __FILE__, __LINE__, "");
}

}  // namespace plimsoll::mover
