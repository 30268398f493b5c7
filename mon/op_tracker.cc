// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/op_tracker.h"

#include <boost/json/array.hpp>

namespace plimsoll::mon {

namespace json = boost::json;

namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

/// With the time until the next step; the last has the time of all.
json::object event(const char* name, Utime at, Duration took) {
  return {{"event", name}, {"time", at.to_string()}, {"duration", seconds(took)}};
}

}  // namespace

OpTracker::Handle OpTracker::begin(std::string description, std::string source) {
  Op op{std::move(description), std::move(source), clock_.wall(), clock_.now(), {}};
  return running_.insert(running_.end(), std::move(op));
}

void OpTracker::finish(Handle op) {
  op->end = clock_.now();
  finished_.push_back(std::move(*op));
  running_.erase(op);
  drop_old();
}

void OpTracker::drop_old() {
  const double keep = config_.mon_op_history_duration();
  while (finished_.size() > config_.mon_op_history_size() ||
         (!finished_.empty() && seconds(clock_.now() - finished_.front().end) > keep))
    finished_.pop_front();
}

json::object OpTracker::dump(const Op& op, bool finished) const {
  const Duration took = (finished ? op.end : clock_.now()) - op.start;
  json::array events{event("initiated", op.begun, took)};
  if (finished)
    events.push_back(event("done", Utime::from_nanos(op.begun.nanos() + took.count()), took));
  json::object info{
      {"seq", 0}, {"src_is_mon", false}, {"source", op.source}, {"forwarded_to_leader", false}};
  return {{"description", op.description},
          {"initiated_at", op.begun.to_string()},
          {"age", seconds(clock_.now() - op.start)},
          {"duration", seconds(took)},
          {"type_data", json::object{{"events", std::move(events)}, {"info", std::move(info)}}}};
}

json::object OpTracker::dump_running() const {
  json::array ops;
  for (const Op& op : running_) ops.push_back(dump(op, false));
  return {{"ops", std::move(ops)}, {"num_ops", running_.size()}};
}

json::object OpTracker::dump_finished() const {
  json::array ops;
  for (const Op& op : finished_) ops.push_back(dump(op, true));
  return {{"size", config_.mon_op_history_size()},
          {"duration", config_.mon_op_history_duration()},
          {"ops", std::move(ops)}};
}

}  // namespace plimsoll::mon
