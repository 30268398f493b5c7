// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "common/base/size_text.h"
#include "mover/plan/rule.h"

namespace plimsoll::mover {

namespace {

template <class... Args>
void add(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
}

std::string goal_text(const Goal& g) {
  std::string out = goal_name(g.kind);
  switch (g.kind) {
    case GoalKind::kRelieve:
      add(out, " devices above {} to {}", fill_text(g.above), fill_text(g.to));
      break;
    case GoalKind::kBalance:
      add(out, " to within {} of the mean", fill_text(g.within));
      break;
    case GoalKind::kDrain:
    case GoalKind::kFill:
      add(out, " {} {}", g.devices.size(), g.devices.size() == 1 ? "device" : "devices");
      break;
    case GoalKind::kMove:
      add(out, " {} from osd.{} to osd.{}", g.move->pg.to_string(), g.move->from, g.move->to);
      break;
  }
  if (g.horizon_days > 0) add(out, ", as they will be in {:g} days", g.horizon_days);
  return out + ", " + selection_name(g.selection);
}

std::string head_text(const PlanFile& file) {
  const Plan& p = file.plan;
  std::string out = fmt::format("{} (epoch {})\n", goal_text(p.goal), p.epoch);
  add(out, "{} {} in {} {}, {} to copy", p.moves.size(), p.moves.size() == 1 ? "move" : "moves",
      p.waves, p.waves == 1 ? "wave" : "waves", bytes_text(p.bytes));
  if (p.lower_bound && p.reaches_goal)
    add(out, ", {:.3f} of the least possible {}",
        static_cast<double>(p.bytes) / static_cast<double>(p.lower_bound),
        bytes_text(p.lower_bound));
  else if (p.lower_bound)
    add(out, "; the goal takes at least {}", bytes_text(p.lower_bound));
  out += '\n';
  if (p.fullest_osd_before != kNoOsd)
    add(out, "fullest: osd.{} at {}, afterwards osd.{} at {}\n", p.fullest_osd_before,
        fill_text(p.fullest_before), p.fullest_osd_after, fill_text(p.fullest_after));
  if (!p.reaches_goal) out += "the goal is not reached\n";
  return out;
}

/// What a map adds to a move's line.
class Places {
 public:
  explicit Places(const map::OSDMap& m)
      : crush_(*m.crush), domains_(*m.crush, m.max_osd), max_osd_(m.max_osd) {
    for (const auto& [id, name] : crush_.type_names)
      if (id > 0) types_.push_back(id);
    std::reverse(types_.begin(), types_.end());
  }
  /// "rack r2->r1": the largest domain that differs; empty within one host.
  std::string change(OsdId from, OsdId to) const {
    if (from >= max_osd_ || to >= max_osd_) return "";
    for (int type : types_) {
      const auto a = domains_.ancestor(from, type), b = domains_.ancestor(to, type);
      if (a != b && a != 0 && b != 0)
        return fmt::format(" {} {}->{}", crush_.type_name(type), crush_.item_name(a),
                           crush_.item_name(b));
    }
    return "";
  }
  std::string device_class(OsdId osd) const {
    const std::string name = crush_.class_of(osd);
    return name.empty() ? "" : " " + name;
  }

 private:
  const map::CrushMap& crush_;
  Domains domains_;
  OsdId max_osd_;
  std::vector<int> types_;  ///< the largest first
};

std::string pool_text(const PlanFile& file, PoolId id) {
  const auto name = file.pools.find(id);
  return name == file.pools.end() ? fmt::format("pool {}", id) : name->second;
}

std::string move_line(const PlanFile& file, const Move& m, const Places* places) {
  std::string out = fmt::format(
      "MOVE {}{} {} {} osd.{} {}->{} => osd.{} {}->{}{} {}", m.pg.to_string(),
      places ? places->device_class(m.from) : "", pool_text(file, m.pg.pool), bytes_text(m.bytes),
      m.from, fill_text(m.from_before), fill_text(m.from_after), m.to, fill_text(m.to_before),
      fill_text(m.to_after), places ? places->change(m.from, m.to) : "", why_name(m.why));
  if (m.need) add(out, " need {}", bytes_text(m.need));
  return out + "\n";
}

std::string entry_text(const map::UpmapItems& items) {
  std::string out = "[";
  for (const auto& [from, to] : items) add(out, "{}{}->{}", out.size() > 1 ? " " : "", from, to);
  return out + "]";
}

std::string wave_head(const Plan& p, size_t first) {
  uint64_t bytes = 0;
  size_t moves = 0;
  for (size_t i = first; i < p.moves.size() && p.moves[i].wave == p.moves[first].wave; i++) {
    bytes += p.moves[i].bytes;
    moves++;
  }
  return fmt::format("wave {}: {} {}, {}", p.moves[first].wave + 1, moves,
                     moves == 1 ? "move" : "moves", bytes_text(bytes));
}

/// Calls each(i), with a head before every wave.
template <class Head, class Each>
void by_wave(const Plan& p, Head&& head, Each&& each) {
  for (size_t i = 0; i < p.moves.size(); i++) {
    if (i == 0 || p.moves[i].wave != p.moves[i - 1].wave) head(wave_head(p, i));
    each(p.moves[i]);
  }
}

void add_blocked(std::string& out, const Plan& p) {
  if (!p.blocked.empty()) out += "\nblocked:\n";
  for (const Blocked& b : p.blocked) {
    out += "  ";
    if (b.osd != kNoOsd) add(out, "osd.{} ", b.osd);
    if (b.pg.pool >= 0) add(out, "PG {} ", b.pg.to_string());
    if (b.bytes) add(out, "{} ", bytes_text(b.bytes));
    add(out, "{}: {}\n", block_name(b.block), b.detail);
  }
  if (!p.advice.empty()) out += "\nadvice:\n";
  for (const Advice& a : p.advice) add(out, "  {}\n", a.text);
  if (!p.dead_entries.empty()) out += "\nentries with pairs that do nothing:\n";
  for (const DeadEntry& d : p.dead_entries)
    add(out, "  {} {} -> {}\n", d.pg.to_string(), entry_text(d.items), entry_text(d.cleaned));
}

void add_command(std::string& out, PgId pg, const map::UpmapItems& items) {
  add(out, "ceph osd {}pg-upmap-items {}", items.empty() ? "rm-" : "", pg.to_string());
  for (const auto& [from, to] : items) add(out, " {} {}", from, to);
  out += '\n';
}

}  // namespace

std::string fill_text(double fill) {
  return fmt::format("{:.1f}%", fill * 100);
}

std::string print_report(const PlanFile& file, const map::OSDMap* map, ReportStyle style) {
  std::optional<Places> places;
  if (map) places.emplace(*map);
  const Plan& p = file.plan;
  std::string out = head_text(file);
  by_wave(
      p, [&](const std::string& head) { add(out, "\n{}\n", head); },
      [&](const Move& m) {
        if (style.diff)
          add(out, "{}\n- {}\n+ {}\n", m.pg.to_string(), entry_text(m.items_before),
              entry_text(m.items_after));
        else
          out += move_line(file, m, places ? &*places : nullptr);
        if (style.explain) add(out, "    {}\n", why_text(m.why));
      });
  add_blocked(out, p);
  return out;
}

std::string print_commands(const PlanFile& file) {
  std::string out =
      fmt::format("set -e\n# for cluster {} at epoch {}\n", file.fsid.to_string(), file.plan.epoch);
  by_wave(
      file.plan, [&](const std::string& head) { add(out, "# {}\n", head); },
      [&](const Move& m) { add_command(out, m.pg, m.items_after); });
  if (!file.plan.dead_entries.empty()) out += "# entries with pairs that do nothing\n";
  for (const DeadEntry& d : file.plan.dead_entries) add_command(out, d.pg, d.cleaned);
  return out;
}

std::string print_summary(const State& state) {
  const Use use = use_of(state);
  double sum_size = 0, sum_used = 0, max = -1, min = 2;
  OsdId fullest = kNoOsd, emptiest = kNoOsd;
  size_t count = 0;
  struct Line {
    const char* name;
    double ratio;
    size_t above = 0;
  } lines[] = {{"full", state.full_ratio},
               {"backfillfull", state.backfillfull_ratio},
               {"nearfull", state.nearfull_ratio}};
  for (size_t osd = 0; osd < state.devices.size(); osd++) {
    const Device& d = state.devices[osd];
    if (!d.exists || !d.in || d.size == 0) continue;
    const double used = static_cast<double>(use.final_[osd]), size = static_cast<double>(d.size);
    count++;
    sum_size += size;
    sum_used += used;
    if (used / size > max) max = used / size, fullest = static_cast<OsdId>(osd);
    if (used / size < min) min = used / size, emptiest = static_cast<OsdId>(osd);
    for (Line& line : lines) line.above += used / size > line.ratio;
  }
  if (count == 0) return "no device reports its size\n";
  std::string out = fmt::format(
      "{} devices of {} together, {} used: {}\nfullest osd.{} at {}, emptiest osd.{} at {}\n",
      count, bytes_text(static_cast<uint64_t>(sum_size)),
      bytes_text(static_cast<uint64_t>(sum_used)), fill_text(sum_used / sum_size), fullest,
      fill_text(max), emptiest, fill_text(min));
  for (const Line& line : lines)
    if (line.above) add(out, "{} above {} ({})\n", line.above, line.name, fill_text(line.ratio));
  return out;
}

}  // namespace plimsoll::mover
