// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs qa/transcripts/mover/*.txt: a small cluster in words, and the plans for it. Sizes are in
// GiB. With --rewrite the files get the plans of today; review them in the diff.
//   $ osd HOST [rack=R] [class=C] [size=1000] [fixed=N] [cordoned|down|out]
//   $ rule NAME [erasure]: STEP; STEP; ...
//   $ pool NAME RULE SIZE [erasure]
//   $ pgs POOL GIB UP[<RAW][*COUNT] ...     UP and RAW are 0,1,2
//   $ pg PGID degraded|inactive|moving
//   $ relieve|drain|balance|fill|move ...   key=value, or OSD ids
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <sstream>

#include "common/base/size_text.h"
#include "mover/plan/test_states.h"
#include "qa/transcripts/harness.h"

namespace plimsoll::mover {

namespace {

using Words = std::vector<std::string>;

Words split(const std::string& text, char separator) {
  Words out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);)
    if (!word.empty()) out.push_back(word);
  return out;
}

std::vector<OsdId> osds(const std::string& text) {
  std::vector<OsdId> out;
  for (const std::string& word : split(text, ',')) out.push_back(std::stoi(word));
  return out;
}

/// The part of "key=value" words; "" where there is none.
std::string value(const Words& words, const std::string& key, const std::string& otherwise = "") {
  for (const std::string& word : words)
    if (word.starts_with(key + "=")) return word.substr(key.size() + 1);
  return otherwise;
}
bool has(const Words& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string items_text(const map::UpmapItems& items) {
  Words pairs;
  for (const auto& [from, to] : items) pairs.push_back(fmt::format("{}>{}", from, to));
  return fmt::format("[{}]", fmt::join(pairs, " "));
}

std::string print(const Plan& plan) {
  std::string out =
      fmt::format("{}: {} moves, {} (least {}) in {} waves; fullest {:.1f}% -> {:.1f}%\n",
                  plan.reaches_goal ? "reached" : "not reached", plan.moves.size(),
                  bytes_text(plan.bytes), bytes_text(plan.lower_bound), plan.waves,
                  plan.fullest_before * 100, plan.fullest_after * 100);
  for (const Move& m : plan.moves) {
    out += fmt::format(
        "wave {}: {} {} osd.{} {:.1f}%->{:.1f}% => osd.{} {:.1f}%->{:.1f}% {}, need {}; items {}",
        m.wave, m.pg.to_string(), bytes_text(m.bytes), m.from, m.from_before * 100,
        m.from_after * 100, m.to, m.to_before * 100, m.to_after * 100, why_text(m.why),
        bytes_text(m.need), items_text(m.items_after));
    if (!m.items_before.empty()) out += " were " + items_text(m.items_before);
    out += "\n";
  }
  for (const Blocked& b : plan.blocked)
    out += fmt::format("blocked {}: {}\n", block_name(b.block), b.detail);
  for (const Advice& a : plan.advice) out += fmt::format("advice: {}\n", a.text);
  for (const DeadEntry& d : plan.dead_entries)
    out += fmt::format("dead entry {}: {} is {}\n", d.pg.to_string(), items_text(d.items),
                       items_text(d.cleaned));
  return out;
}

class Session {
 public:
  std::string run(const std::string& command);

 private:
  void osd(const Words& w);
  void rule(const std::string& command);
  void pgs(const Words& w);
  void pg(const Words& w);
  std::string plan(const Words& w);

  TestCluster cluster_;
  std::map<std::string, int> rules_;
  std::map<std::string, PoolId> pools_;
};

void Session::osd(const Words& w) {
  const OsdId id = cluster_.add_osd({.host = w[1],
                                     .rack = value(w, "rack"),
                                     .size = std::stoull(value(w, "size", "1000")),
                                     .device_class = value(w, "class")});
  Device& d = cluster_.device(id);
  d.fixed = std::stoull(value(w, "fixed", "0")) * kGiB;
  d.cordoned = has(w, "cordoned");
  d.up = !has(w, "down");
  d.in = !has(w, "out");
}

void Session::rule(const std::string& command) {
  const size_t colon = command.find(':');
  const Words head = split(command.substr(0, colon), ' ');
  Words steps = split(command.substr(colon + 1), ';');
  for (std::string& step : steps) step.erase(0, step.find_first_not_of(' '));
  rules_[head[1]] = cluster_.add_rule(head[1], steps, has(head, "erasure"));
}

void Session::pgs(const Words& w) {
  for (size_t i = 3; i < w.size(); i++) {
    const Words times = split(w[i], '*');
    const Words up_raw = split(times[0], '<');
    for (int n = times.size() > 1 ? std::stoi(times[1]) : 1; n; n--)
      cluster_.add_pg(pools_.at(w[1]), std::stoull(w[2]), osds(up_raw[0]),
                      up_raw.size() > 1 ? osds(up_raw[1]) : std::vector<OsdId>());
  }
}

void Session::pg(const Words& w) {
  const State& s = cluster_.state();
  const auto index = std::find(s.pg_ids.begin(), s.pg_ids.end(), *PgId::parse(w[1]));
  uint8_t& flags = cluster_.state().pg_flags.at(static_cast<size_t>(index - s.pg_ids.begin()));
  if (w[2] == "degraded") flags = kPgIsActive | kPgIsDegraded;
  if (w[2] == "inactive") flags = 0;
  if (w[2] == "moving") flags = kPgIsActive;
}

std::string Session::plan(const Words& w) {
  const std::map<std::string, GoalKind> kinds = {{"relieve", GoalKind::kRelieve},
                                                 {"drain", GoalKind::kDrain},
                                                 {"balance", GoalKind::kBalance},
                                                 {"fill", GoalKind::kFill},
                                                 {"move", GoalKind::kMove}};
  Goal goal;
  goal.kind = kinds.at(w[0]);
  goal.above = std::stod(value(w, "above", "0.85"));
  goal.to = std::stod(value(w, "to", value(w, "above", "0.85")));
  goal.within = std::stod(value(w, "within", "0.01"));
  goal.backfills = static_cast<uint32_t>(std::stoul(value(w, "backfills", "1")));
  if (has(w, "largest")) goal.selection = Selection::kLargest;
  for (const OsdId osd : osds(value(w, "target"))) goal.targets.insert(osd);
  if (goal.kind == GoalKind::kMove)
    goal.move = HandMove{*PgId::parse(w[1]), std::stoi(w[2]), std::stoi(w[3])};
  else
    for (const OsdId osd : osds(value(w, "osds"))) goal.devices.insert(osd);
  const auto plan = make_plan(cluster_.make(), goal);
  return plan ? print(*plan) : plan.error().to_string() + "\n";
}

std::string Session::run(const std::string& command) {
  const Words w = split(command, ' ');
  if (w[0] == "osd")
    osd(w);
  else if (w[0] == "rule")
    rule(command);
  else if (w[0] == "pool")
    pools_[w[1]] = cluster_.add_pool(w[1], rules_.at(w[2]), static_cast<uint8_t>(std::stoi(w[3])),
                                     has(w, "erasure"));
  else if (w[0] == "pgs")
    pgs(w);
  else if (w[0] == "pg")
    pg(w);
  else
    return plan(w);
  return "";
}

std::string replay(std::istream& in) {
  Session session;
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("$ ") && !line.starts_with("#") && !line.empty()) continue;
    out += line + "\n";
    if (line.starts_with("$ ")) out += session.run(line.substr(2));
  }
  return out;
}

}  // namespace
}  // namespace plimsoll::mover

int main(int argc, char** argv) {
  using namespace plimsoll;
  return transcripts::run_all("qa/transcripts/mover", mover::replay, argc, argv);
}
