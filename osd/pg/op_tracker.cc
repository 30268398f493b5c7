// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/op_tracker.h"

#include <algorithm>

namespace plimsoll::osd {

namespace json = boost::json;

// ---- filter -------------------------------------------------------------------------------------

OpFilter::OpFilter(const std::vector<std::string>& texts) {
  for (const auto& text : texts)
    if (auto addr = EntityAddr::parse(text)) addrs_.push_back(*addr);
}

bool OpFilter::selects(const EntityAddr& client) const {
  return addrs_.empty() || std::any_of(addrs_.begin(), addrs_.end(), [&](const EntityAddr& a) {
           return a.family == client.family && a.ip == client.ip &&
                  (a.port == client.port || (!a.port && !a.nonce)) &&
                  (a.nonce == client.nonce || !a.nonce);
         });
}

// ---- life of requests ---------------------------------------------------------------------------

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
  op->tracker = shared_from_this();
  op->received = op->note("initiated");
  op->initiated = clock_.wall();
  op->place = running_.insert(running_.end(), op.get());
  return op;
}

OpTracker::Past OpTracker::past_of(const ClientOp& op, TimePoint ended) {
  return {op.describe(), op.initiated, op.received, ended, op.reqid, op.connection->peer_addr(),
          op.events};
}

void OpTracker::finish(ClientOp& op) {
  running_.erase(op.place);
  const OpTrackerLimits limits = limits_();
  const TimePoint now = op.note("done");
  const Duration took = now - op.received;
  std::erase_if(history_, [&](const Past& p) { return now - p.ended > limits.history_duration; });
  if (limits.slow_size && took > limits.slow_threshold) {
    if (slow_.size() >= limits.slow_size)
      slow_.erase(slow_.begin(), slow_.end() - static_cast<ptrdiff_t>(limits.slow_size - 1));
    slow_.push_back(past_of(op, now));
  }
  if (limits.history_size == 0) return history_.clear();
  if (history_.size() >= limits.history_size) {
    if (history_.back().took() >= took) return;
    history_.resize(limits.history_size - 1);
  }
  const auto after = std::partition_point(history_.begin(), history_.end(),
                                          [&](const Past& p) { return p.took() >= took; });
  history_.insert(after, past_of(op, now));
}

// ---- looking in ---------------------------------------------------------------------------------

namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

/// Each step with the time until the next; the last with the time of all.
json::array dump_events(const OpEvents& events, Utime initiated) {
  json::array out;
  const TimePoint first = events.begin()->at;
  for (const auto& e : events) {
    const auto* next = &e + 1;
    const Duration took = next == events.end() ? e.at - first : next->at - e.at;
    const Utime time = Utime::from_nanos(initiated.nanos() + (e.at - first).count());
    out.push_back(
        json::object{{"event", e.name}, {"time", time.to_string()}, {"duration", seconds(took)}});
  }
  return out;
}

}  // namespace

OpDump OpTracker::dump(const Past& op, bool finished) const {
  const Duration age = clock_.now() - op.received;
  const Duration took = finished ? op.took() : age;
  json::object data{{"flag_point", op.events.last().name},
                    {"client_info",
                     {{"client", op.reqid.name.to_string()},
                      {"client_addr", op.client.to_string()},
                      {"tid", op.reqid.tid}}},
                    {"events", dump_events(op.events, op.initiated)}};
  json::object all{{"description", op.text},
                   {"initiated_at", op.initiated.to_string()},
                   {"age", seconds(age)},
                   {"duration", seconds(took)},
                   {"type_data", std::move(data)}};
  return {op.received, took, std::move(all)};
}

std::vector<OpDump> OpTracker::dump_in_flight(const OpFilter& filter, Duration age) const {
  std::vector<OpDump> out;
  const TimePoint now = clock_.now();
  for (const ClientOp* op : running_)
    if (now - op->received > age && filter.selects(op->connection->peer_addr()))
      out.push_back(dump(past_of(*op, now), false));
  return out;
}

std::vector<OpDump> OpTracker::dump(const std::vector<Past>& ops, const OpFilter& filter) const {
  std::vector<OpDump> out;
  for (const Past& op : ops)
    if (filter.selects(op.client)) out.push_back(dump(op, true));
  return out;
}

}  // namespace plimsoll::osd
