// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/goal_options.h"

#include <fmt/format.h>

#include <charconv>

#include "common/config/option.h"
#include "mover/osd_spec.h"
#include "mover/plan_file.h"

namespace plimsoll::mover {

namespace {

Result<double> fill_option(const Arguments& a, const char* option, double otherwise,
                           const map::OSDMap& m) {
  if (!a.has(option)) return otherwise;
  auto v = parse_fill(a.text(option), m);
  if (!v) return fail(EINVAL, fmt::format("--{}: {}", option, v.error().text()));
  return v;
}

Result<PoolId> pool_of(const std::string& text, const map::OSDMap& m) {
  if (auto id = m.find_pool(text)) return *id;
  PoolId id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size() && m.pool(id)) return id;
  return fail(ENOENT, fmt::format("there is no pool '{}'", text));
}

Result<HandMove> hand_move(const std::vector<std::string>& words, const map::OSDMap& m) {
  if (words.size() != 3) return fail(EINVAL, "plan move wants PG FROM TO: 2.1f osd.54 osd.20");
  HandMove move;
  auto pg = PgId::parse(words[0]);
  if (!pg) return fail(EINVAL, fmt::format("'{}' is no PG", words[0]));
  move.pg = *pg;
  if (!m.pg_exists(move.pg)) return fail(ENOENT, fmt::format("PG {} does not exist", words[0]));
  TRY(from, osd_of(words[1], m));
  TRY(to, osd_of(words[2], m));
  move.from = from;
  move.to = to;
  return move;
}

Result<> set_devices(const std::vector<std::string>& words, const map::OSDMap& m, Goal& goal) {
  const bool needed = goal.kind == GoalKind::kDrain || goal.kind == GoalKind::kFill;
  if (needed && words.empty())
    return fail(EINVAL, fmt::format("plan {} wants OSDs", goal_name(goal.kind)));
  std::vector<std::string> specs;
  for (const std::string& word : words)
    for (std::string& spec : split_commas(word)) specs.push_back(std::move(spec));
  TRY(devices, osds_of(specs, m));
  goal.devices = std::move(devices);
  return {};
}

Result<> set_limits(const Arguments& a, const map::OSDMap& m, Goal& goal) {
  TRY(nearfull, parse_fill("nearfull", m));
  TRY(above, fill_option(a, "above", nearfull, m));
  TRY(to, fill_option(a, "to", above, m));
  TRY(within, fill_option(a, "within", goal.within, m));
  TRY(peak, fill_option(a, "peak", goal.peak_limit, m));
  TRY(max_bytes, a.size("max-bytes", 0));
  TRY(wave_bytes, a.size("wave-bytes", 0));
  TRY(max_moves, a.number("max-moves", 0));
  TRY(backfills, a.number("backfills", goal.backfills));
  if (backfills == 0) return fail(EINVAL, "--backfills: at least 1");
  goal.above = above;
  goal.to = to;
  goal.within = within;
  goal.peak_limit = peak;
  goal.max_bytes = max_bytes;
  goal.wave_bytes = wave_bytes;
  goal.max_moves = static_cast<uint32_t>(max_moves);
  goal.backfills = static_cast<uint32_t>(backfills);
  if (!a.has("predict")) return {};
  auto horizon = config::parse_seconds(a.text("predict"));
  if (!horizon) return fail(EINVAL, fmt::format("--predict: '{}' is no time", a.text("predict")));
  goal.horizon_days = *horizon / 86400;
  return {};
}

}  // namespace

Result<double> parse_fill(std::string_view text, const map::OSDMap& m) {
  // The map has them as floats; what people mean is the decimal number.
  auto decimal = [](float v) { return std::stod(fmt::format("{}", v)); };
  if (text == "nearfull") return decimal(m.nearfull_ratio);
  if (text == "backfillfull") return decimal(m.backfillfull_ratio);
  if (text == "full") return decimal(m.full_ratio);
  const bool percent = text.ends_with('%');
  std::string_view number = percent ? text.substr(0, text.size() - 1) : text;
  double v = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), v);
  if (error != std::errc() || end != number.data() + number.size())
    return fail(EINVAL, fmt::format("'{}' is no fill: 85%, 0.85 or nearfull", text));
  if (percent) v /= 100;
  if (!(v >= 0 && v <= 1)) return fail(EINVAL, fmt::format("'{}' is not between 0 and 100%", text));
  return v;
}

Result<GoalKind> goal_kind_of(const Arguments& a) {
  const std::string word = a.words().empty() ? "" : a.words()[0];
  if (const auto kind = goal_from(word)) return *kind;
  return fail(EINVAL, fmt::format("plan wants relieve, drain, balance, fill or move{}",
                                  word.empty() ? "" : ", not '" + word + "'"));
}

Result<Goal> goal_of(const Arguments& a, const map::OSDMap& m) {
  TRY(kind, goal_kind_of(a));
  const std::vector<std::string> words(a.words().begin() + 1, a.words().end());
  Goal goal;
  goal.kind = kind;
  const std::string selection = a.text("selection", selection_name(goal.selection));
  const auto chosen = selection_from(selection);
  if (!chosen)
    return fail(EINVAL, fmt::format("--selection: best-fit or largest, not '{}'", selection));
  goal.selection = *chosen;
  if (goal.kind == GoalKind::kMove) {
    TRY(move, hand_move(words, m));
    goal.move = move;
  } else {
    TRY_VOID(set_devices(words, m, goal));
  }
  TRY_VOID(set_limits(a, m, goal));
  TRY(targets, osds_of(a.list("target"), m));
  goal.targets = std::move(targets);
  for (const std::string& name : a.list("pool")) {
    TRY(pool, pool_of(name, m));
    goal.pools.insert(pool);
  }
  return goal;
}

Result<> add_options(const Arguments& a, Dump& dump) {
  TRY(cordoned, osds_of(a.list("cordon"), dump.map));
  dump.cordoned.merge(cordoned);
  for (std::string text : a.list("growth")) {
    const size_t equals = text.find('=');
    if (text.ends_with("/day")) text.resize(text.size() - 4);
    auto bytes = equals == std::string::npos
                     ? Result<uint64_t>(fail(EINVAL))
                     : config::parse_size(std::string_view(text).substr(equals + 1));
    if (!bytes) return fail(EINVAL, fmt::format("--growth: '{}' is not as in rbd=2T/day", text));
    TRY(pool, pool_of(text.substr(0, equals), dump.map));
    dump.growth_per_day[pool] = static_cast<int64_t>(*bytes);
  }
  return {};
}

}  // namespace plimsoll::mover
