// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/client_op.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::osd {

ClientOp::~ClientOp() {
  if (tracker) tracker->finish(*this);
}

std::string ClientOp::describe() const {
  std::string ops;
  for (const auto& op : m.ops) ops += (ops.empty() ? "" : ",") + msg::op_name(op.code);
  return fmt::format("osd_op({} {} {} [{}] snapc {:x}=[] RETRY={} flags={:#x} e{})",
                     reqid.to_string(), m.pgid.pg.to_string(), object.to_string(), ops, m.snap_seq,
                     m.retry_attempt, m.flags, m.epoch);
}

ClientOpRef OpTracker::start(messenger::ConnectionRef connection, msg::MOsdOp m,
                             const msg::RawMessage& raw) {
  auto op = std::make_shared<ClientOp>();
  op->connection = std::move(connection);
  op->m = std::move(m);
  op->tid = raw.tid;
  op->bytes = raw.bytes();
  op->throttle = raw.throttle;
  // What the message itself says is not trusted: its sender's name and its id identify it.
  op->reqid = {op->connection->peer(), raw.tid, static_cast<int32_t>(op->m.client_inc)};
  op->object.oid = op->m.oid;
  if (op->m.locator.key != op->m.oid) op->object.key = op->m.locator.key;
  op->object.nspace = op->m.locator.nspace;
  op->object.pool = op->m.pgid.pg.pool;
  op->object.hash = op->m.hash;
  op->object.snap = kSnapHead;
  op->kinds = op_kinds(op->m.ops);
  op->arrival = ++arrivals_;
  op->received = clock_.now();
  op->initiated = clock_.wall();
  op->tracker = shared_from_this();
  op->place = running_.insert(running_.end(), op.get());
  return op;
}

void OpTracker::finish(ClientOp& op) {
  running_.erase(op.place);
  const OpTrackerLimits limits = limits_();
  const TimePoint now = clock_.now();
  const Duration took = now - op.received;
  // Text is made only for the few that are kept: the slowest of the last minutes.
  const auto faster = [](const Past& a, const Past& b) { return a.took > b.took; };
  std::erase_if(history_, [&](const Past& p) { return now - p.ended > limits.history_duration; });
  if (limits.history_size == 0) return history_.clear();
  if (history_.size() >= limits.history_size) {
    if (history_.back().took >= took) return;
    history_.resize(limits.history_size - 1);
  }
  Past past{took, now, op.describe(), op.initiated};
  history_.insert(std::upper_bound(history_.begin(), history_.end(), past, faster),
                  std::move(past));
}

namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

}  // namespace

boost::json::object OpTracker::dump(const ClientOp& op) const {
  const double age = seconds(clock_.now() - op.received);
  boost::json::object data{
      {"flag_point", op.state},
      {"client_info",
       {{"client", op.reqid.name.to_string()},
        {"client_addr", op.connection->peer_addr().to_string()},
        {"tid", op.tid}}},
      {"events", boost::json::array{{{"time", op.initiated.to_string()}, {"event", "initiated"}},
                                    {{"time", op.initiated.to_string()}, {"event", op.state}}}}};
  return {{"description", op.describe()},
          {"initiated_at", op.initiated.to_string()},
          {"age", age},
          {"duration", age},
          {"type_data", std::move(data)}};
}

boost::json::array OpTracker::dump_in_flight() const {
  boost::json::array out;
  for (const ClientOp* op : running_) out.push_back(dump(*op));
  return out;
}

boost::json::array OpTracker::dump_history() const {
  boost::json::array out;
  for (const auto& p : history_)
    out.push_back(boost::json::object{{"description", p.text},
                                      {"initiated_at", p.initiated.to_string()},
                                      {"age", seconds(clock_.now() - p.ended + p.took)},
                                      {"duration", seconds(p.took)},
                                      {"type_data", {{"flag_point", "done"}}}});
  return out;
}

size_t OpTracker::slow(Duration age) const {
  const TimePoint now = clock_.now();
  return static_cast<size_t>(
      std::count_if(running_.begin(), running_.end(),
                    [&](const ClientOp* op) { return now - op->received > age; }));
}

}  // namespace plimsoll::osd
