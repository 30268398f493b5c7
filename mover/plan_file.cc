// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/plan_file.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <iterator>

#include "mover/model/json_reader.h"

namespace plimsoll::mover {

namespace {

constexpr int kFileVersion = 1;
constexpr size_t kMaxMoves = 1 << 20;
constexpr size_t kMaxPairs = 64;

template <class E>
struct Name {
  E value;
  const char* name;
};
constexpr Name<GoalKind> kGoals[] = {{GoalKind::kRelieve, "relieve"},
                                     {GoalKind::kDrain, "drain"},
                                     {GoalKind::kBalance, "balance"},
                                     {GoalKind::kFill, "fill"},
                                     {GoalKind::kMove, "move"}};
constexpr Name<Selection> kSelections[] = {{Selection::kBestFit, "best-fit"},
                                           {Selection::kLargest, "largest"}};
constexpr Name<Why> kWhys[] = {{Why::kBestFit, "best-fit"}, {Why::kLargest, "largest"},
                               {Why::kPair, "pair"},        {Why::kSwap, "swap"},
                               {Why::kDrained, "drained"},  {Why::kFills, "fills"},
                               {Why::kByHand, "by-hand"}};
constexpr Name<Advice::Kind> kAdvices[] = {{Advice::Kind::kAddCapacity, "add-capacity"},
                                           {Advice::Kind::kDelete, "delete"},
                                           {Advice::Kind::kRaisePgNum, "raise-pg-num"},
                                           {Advice::Kind::kChangeRule, "change-rule"}};

template <class E, size_t N>
const char* name_of(const Name<E> (&names)[N], E value) {
  for (const auto& n : names)
    if (n.value == value) return n.name;
  return "unknown";
}
template <class E, size_t N>
std::optional<E> value_of(const Name<E> (&names)[N], std::string_view name) {
  for (const auto& n : names)
    if (name == n.name) return n.value;
  return {};
}

/// Every Block has a name; kUnexplained is the last.
std::optional<Block> block_from(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Block::kUnexplained); i++)
    if (name == block_name(static_cast<Block>(i))) return static_cast<Block>(i);
  return {};
}

// ---- writing ------------------------------------------------------------------------------------

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::value(text));
}

std::string items_text(const map::UpmapItems& items) {
  std::string out = "[";
  for (const auto& [from, to] : items)
    out += fmt::format("{}[{},{}]", out.size() > 1 ? "," : "", from, to);
  return out + "]";
}

std::string goal_text(const Goal& g) {
  std::string out = fmt::format(
      "{{\"kind\":\"{}\",\"selection\":\"{}\",\"above\":{},\"to\":{},\"within\":{},"
      "\"devices\":[{}],\"targets\":[{}],\"pools\":[{}],\"horizon_days\":{},\"peak_limit\":{},"
      "\"margin\":{},\"max_bytes\":{},\"max_moves\":{},\"backfills\":{},\"wave_bytes\":{}",
      goal_name(g.kind), selection_name(g.selection), g.above, g.to, g.within,
      fmt::join(g.devices, ","), fmt::join(g.targets, ","), fmt::join(g.pools, ","), g.horizon_days,
      g.peak_limit, g.margin, g.max_bytes, g.max_moves, g.backfills, g.wave_bytes);
  if (g.move)
    out += fmt::format(",\"move\":{{\"pg\":\"{}\",\"from\":{},\"to\":{}}}", g.move->pg.to_string(),
                       g.move->from, g.move->to);
  return out + "}";
}

std::string move_text(const Move& m) {
  return fmt::format(
      "{{\"pg\":\"{}\",\"position\":{},\"from\":{},\"to\":{},\"bytes\":{},\"why\":\"{}\","
      "\"need\":{},\"wave\":{},\"from_fill\":[{},{}],\"to_fill\":[{},{}],\"items_before\":{},"
      "\"items_after\":{}}}",
      m.pg.to_string(), m.position, m.from, m.to, m.bytes, why_name(m.why), m.need, m.wave,
      m.from_before, m.from_after, m.to_before, m.to_after, items_text(m.items_before),
      items_text(m.items_after));
}

std::string blocked_text(const Blocked& b) {
  return fmt::format(
      "{{\"osd\":{},\"pg\":{},\"block\":\"{}\",\"bytes\":{},\"shards\":{},\"detail\":{}}}", b.osd,
      b.pg.pool < 0 ? "null" : quoted(b.pg.to_string()), block_name(b.block), b.bytes, b.shards,
      quoted(b.detail));
}

std::string advice_text(const Advice& a) {
  return fmt::format("{{\"kind\":\"{}\",\"subject\":{},\"bytes\":{},\"pg_num\":{},\"text\":{}}}",
                     name_of(kAdvices, a.kind), quoted(a.subject), a.bytes, a.pg_num,
                     quoted(a.text));
}

std::string dead_text(const DeadEntry& d) {
  return fmt::format("{{\"pg\":\"{}\",\"items\":{},\"cleaned\":{}}}", d.pg.to_string(),
                     items_text(d.items), items_text(d.cleaned));
}

template <class T>
void add_list(std::string& out, const char* key, const std::vector<T>& list,
              std::string (*text)(const T&)) {
  fmt::format_to(std::back_inserter(out), ",\n\"{}\":[", key);
  const char* separator = "\n";
  for (const T& item : list) {
    out += separator;
    out += text(item);
    separator = ",\n";
  }
  out += ']';
}

}  // namespace

const char* goal_name(GoalKind kind) {
  return name_of(kGoals, kind);
}
std::optional<GoalKind> goal_from(std::string_view name) {
  return value_of(kGoals, name);
}
const char* selection_name(Selection selection) {
  return name_of(kSelections, selection);
}
std::optional<Selection> selection_from(std::string_view name) {
  return value_of(kSelections, name);
}
const char* why_name(Why why) {
  return name_of(kWhys, why);
}

std::string print_plan_file(const PlanFile& file) {
  const Plan& p = file.plan;
  std::string pools;
  for (const auto& [id, name] : file.pools)
    pools += fmt::format("{}{{\"id\":{},\"name\":{}}}", pools.empty() ? "" : ",", id, quoted(name));
  std::string out = fmt::format(
      "{{\"plimsoll_mover_plan\":{},\n\"fsid\":\"{}\",\n\"epoch\":{},\n\"pools\":[{}],\n"
      "\"goal\":{},\n\"reaches_goal\":{},\n\"waves\":{},\n\"bytes\":{},\n\"lower_bound\":{},\n"
      "\"fullest_before\":{{\"osd\":{},\"fill\":{}}},\n\"fullest_after\":{{\"osd\":{},\"fill\":{}}}"
      ","
      "\n\"tries\":{}",
      kFileVersion, file.fsid.to_string(), p.epoch, pools, goal_text(p.goal), p.reaches_goal,
      p.waves, p.bytes, p.lower_bound, p.fullest_osd_before, p.fullest_before, p.fullest_osd_after,
      p.fullest_after, p.tries);
  add_list(out, "moves", p.moves, move_text);
  add_list(out, "blocked", p.blocked, blocked_text);
  add_list(out, "advice", p.advice, advice_text);
  add_list(out, "dead_entries", p.dead_entries, dead_text);
  return out + "}\n";
}

// ---- reading ------------------------------------------------------------------------------------

namespace {

/// Reads a word of a table into `out`.
template <class E, class Lookup>
auto word_into(JsonReader& in, E& out, Lookup lookup) {
  return [&in, &out, lookup] {
    std::string name;
    in.read(name);
    if (!in.ok()) return;
    const auto value = lookup(name);
    if (!value) return in.fail(fmt::format("'{}' is none of the known words", name));
    out = *value;
  };
}

void read_osd(JsonReader& in, OsdId& out) {
  in.read(out);
  if (in.ok() && (out < kNoOsd || out >= map::kMaxOsds))
    in.fail(fmt::format("{} is no OSD id", out));
}
auto osd_into(JsonReader& in, OsdId& out) {
  return [&in, &out] { read_osd(in, out); };
}

auto items_into(JsonReader& in, map::UpmapItems& out) {
  return [&in, &out] {
    in.array([&] {
      std::vector<OsdId> pair;
      in.read(pair);
      if (!in.ok()) return;
      if (pair.size() != 2) return in.fail("is no pair of OSDs");
      if (out.size() == kMaxPairs) return in.fail("has too many pairs");
      for (OsdId osd : pair)
        if (osd < 0 || osd >= map::kMaxOsds) return in.fail(fmt::format("{} is no OSD id", osd));
      out.emplace_back(pair[0], pair[1]);
    });
  };
}

auto fills_into(JsonReader& in, double& before, double& after) {
  return [&] {
    std::vector<double> pair;
    in.read(pair);
    if (!in.ok()) return;
    if (pair.size() != 2) return in.fail("is no pair of numbers");
    before = pair[0];
    after = pair[1];
  };
}

template <class T>
auto set_into(JsonReader& in, std::set<T>& out) {
  return [&in, &out] {
    in.array([&] {
      T v{};
      in.read(v);
      if (in.ok() && v < 0) in.fail(fmt::format("{} is no id", v));
      out.insert(v);
    });
  };
}

void read_goal(JsonReader& in, Goal& g) {
  auto read_move = [&] {
    HandMove& m = g.move.emplace();
    in.members("pg", m.pg, "from", osd_into(in, m.from), "to", osd_into(in, m.to));
  };
  in.members("kind", word_into(in, g.kind, goal_from), "selection",
             word_into(in, g.selection, selection_from), "above", g.above, "to", g.to, "within",
             g.within, "devices", set_into(in, g.devices), "targets", set_into(in, g.targets),
             "pools", set_into(in, g.pools), "horizon_days", g.horizon_days, "peak_limit",
             g.peak_limit, "margin", g.margin, "max_bytes", g.max_bytes, "max_moves", g.max_moves,
             "backfills", g.backfills, "wave_bytes", g.wave_bytes, "move", read_move);
}

void read_move(JsonReader& in, Plan& plan, std::set<PgId>& seen) {
  Move m;
  auto why = [](std::string_view name) { return value_of(kWhys, name); };
  in.members("pg", m.pg, "position", m.position, "from", osd_into(in, m.from), "to",
             osd_into(in, m.to), "bytes", m.bytes, "why", word_into(in, m.why, why), "need", m.need,
             "wave", m.wave, "from_fill", fills_into(in, m.from_before, m.from_after), "to_fill",
             fills_into(in, m.to_before, m.to_after), "items_before",
             items_into(in, m.items_before), "items_after", items_into(in, m.items_after));
  if (!in.ok()) return;
  const std::string pg = m.pg.to_string();
  if (m.pg.pool < 0) return in.fail("the move has no pg");
  if (m.from < 0 || m.to < 0) return in.fail(fmt::format("PG {} moves from or to nowhere", pg));
  if (m.from == m.to) return in.fail(fmt::format("PG {} moves from osd.{} to itself", pg, m.from));
  if (!seen.insert(m.pg).second) return in.fail(fmt::format("PG {} moves twice", pg));
  if (!plan.moves.empty() && m.wave < plan.moves.back().wave)
    return in.fail(
        fmt::format("PG {} is in wave {}, behind wave {}", pg, m.wave, plan.moves.back().wave));
  if (plan.moves.size() == kMaxMoves) return in.fail("the plan has too many moves");
  plan.moves.push_back(std::move(m));
}

void read_blocked(JsonReader& in, Plan& plan) {
  Blocked b;
  auto read_pg = [&] {
    if (in.next_is('"'))
      in.read(b.pg);
    else
      in.skip();
  };
  in.members("osd", osd_into(in, b.osd), "pg", read_pg, "block", word_into(in, b.block, block_from),
             "bytes", b.bytes, "shards", b.shards, "detail", b.detail);
  plan.blocked.push_back(std::move(b));
}

void read_advice(JsonReader& in, Plan& plan) {
  Advice a{};
  auto kind = [](std::string_view name) { return value_of(kAdvices, name); };
  in.members("kind", word_into(in, a.kind, kind), "subject", a.subject, "bytes", a.bytes, "pg_num",
             a.pg_num, "text", a.text);
  plan.advice.push_back(std::move(a));
}

void read_dead(JsonReader& in, Plan& plan) {
  DeadEntry d;
  in.members("pg", d.pg, "items", items_into(in, d.items), "cleaned", items_into(in, d.cleaned));
  plan.dead_entries.push_back(std::move(d));
}

}  // namespace

Result<PlanFile> read_plan_file(ByteSource& source, std::string name) {
  PlanFile file;
  Plan& p = file.plan;
  JsonReader in(source, std::move(name));
  int version = 0;
  std::set<PgId> seen;
  auto each = [&](auto read) { return [&in, read] { in.array(read); }; };
  auto fullest = [&](OsdId& osd, double& fill) {
    return [&] { in.members("osd", osd_into(in, osd), "fill", fill); };
  };
  auto read_pool = [&] {
    PoolId id = -1;
    std::string pool;
    in.members("id", id, "name", pool);
    file.pools[id] = std::move(pool);
  };
  in.members(
      "plimsoll_mover_plan", version, "fsid", file.fsid, "epoch", p.epoch, "pools", each(read_pool),
      "goal", [&] { read_goal(in, p.goal); }, "reaches_goal", p.reaches_goal, "waves", p.waves,
      "bytes", p.bytes, "lower_bound", p.lower_bound, "fullest_before",
      fullest(p.fullest_osd_before, p.fullest_before), "fullest_after",
      fullest(p.fullest_osd_after, p.fullest_after), "tries", p.tries, "moves",
      each([&] { read_move(in, p, seen); }), "blocked", each([&] { read_blocked(in, p); }),
      "advice", each([&] { read_advice(in, p); }), "dead_entries", each([&] { read_dead(in, p); }));
  if (in.ok() && version == 0) in.fail("has no 'plimsoll_mover_plan': this is no plan");
  if (version > kFileVersion)
    in.fail(fmt::format("is of version {}, this program reads up to {}", version, kFileVersion));
  TRY_VOID(in.finish());
  return file;
}

}  // namespace plimsoll::mover
