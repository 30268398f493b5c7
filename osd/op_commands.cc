// SPDX-License-Identifier: LGPL-2.1-or-later
// The commands that show operations of clients: under way, blocked, slowest, slow. Each gathers the
// lists of all shards' trackers.
#include <algorithm>

#include "osd/osd.h"

namespace plimsoll::osd {

namespace json = boost::json;
using command::Args;
using command::CommandReply;

namespace {

using Dumps = std::vector<OpDump>;

json::array dump_of(Dumps ops, size_t most = SIZE_MAX) {
  json::array out;
  for (auto& op : ops)
    if (out.size() < most) out.push_back(std::move(op.json));
  return out;
}

bool older(const OpDump& a, const OpDump& b) {
  return a.received < b.received;
}

bool slower(const OpDump& a, const OpDump& b) {
  return a.took > b.took;
}

}  // namespace

Task<std::vector<OpDump>> Osd::gather_ops(const Args& args,
                                          std::function<Dumps(OpTracker&, const OpFilter&)> list) {
  const OpFilter filter(args.strings("filterstr"));
  auto found = std::make_shared<Dumps>();
  const auto each = [found, list = std::move(list), filter](PgShard& s) {
    for (auto& op : list(s.tracker(), filter)) found->push_back(std::move(op));
  };
  co_await on_shards(each);
  std::sort(found->begin(), found->end(), older);
  co_return std::move(*found);
}

Task<CommandReply> Osd::cmd_ops(const Args& args) {
  const auto list = [](OpTracker& t, const OpFilter& f) { return t.dump_in_flight(f); };
  Dumps ops = co_await gather_ops(args, list);
  const size_t n = ops.size();
  co_return CommandReply::json(json::object{{"ops", dump_of(std::move(ops))}, {"num_ops", n}},
                               args.format());
}

Task<CommandReply> Osd::cmd_blocked_ops(const Args& args) {
  const double complaint = env_.config.osd_op_complaint_time();
  const auto age = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(complaint));
  const auto list = [age](OpTracker& t, const OpFilter& f) { return t.dump_in_flight(f, age); };
  Dumps ops = co_await gather_ops(args, list);
  const size_t n = ops.size();
  co_return CommandReply::json(
      json::object{
          {"ops", dump_of(std::move(ops))}, {"complaint_time", complaint}, {"num_blocked_ops", n}},
      args.format());
}

json::object Osd::history(Dumps ops) {
  return {{"size", env_.config.osd_op_history_size()},
          {"duration", env_.config.osd_op_history_duration()},
          {"ops", dump_of(std::move(ops))}};
}

/// The slowest of all shards, slowest first.
Task<std::vector<OpDump>> Osd::slowest_ops(const Args& args) {
  const auto list = [](OpTracker& t, const OpFilter& f) { return t.dump_history(f); };
  Dumps ops = co_await gather_ops(args, list);
  std::sort(ops.begin(), ops.end(), slower);
  if (const size_t most = env_.config.osd_op_history_size(); ops.size() > most)
    ops.erase(ops.begin() + static_cast<ptrdiff_t>(most), ops.end());
  co_return ops;
}

Task<CommandReply> Osd::cmd_history(const Args& args) {
  Dumps ops = co_await slowest_ops(args);
  std::sort(ops.begin(), ops.end(), older);
  co_return CommandReply::json(history(std::move(ops)), args.format());
}

Task<CommandReply> Osd::cmd_history_by_duration(const Args& args) {
  Dumps ops = co_await slowest_ops(args);
  co_return CommandReply::json(history(std::move(ops)), args.format());
}

Task<CommandReply> Osd::cmd_slow_ops(const Args& args) {
  const auto list = [](OpTracker& t, const OpFilter& f) { return t.dump_slow(f); };
  Dumps ops = co_await gather_ops(args, list);
  json::object out{{"num to keep", env_.config.osd_op_history_slow_op_size()},
                   {"threshold to keep", env_.config.osd_op_history_slow_op_threshold()},
                   {"Ops", dump_of(std::move(ops))}};
  co_return CommandReply::json(out, args.format());
}

}  // namespace plimsoll::osd
