// SPDX-License-Identifier: LGPL-2.1-or-later
// OpTracker: the commands at work and the last finished ones, for `ops` and `dump_historic_ops`.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <list>
#include <string>

#include "common/config/config.h"
#include "common/rt/clock.h"

namespace plimsoll::mon {

class OpTracker {
 public:
  struct Op {
    std::string description;
    std::string source;
    Utime begun;
    TimePoint start;
    TimePoint end;
  };
  using Handle = std::list<Op>::iterator;

  OpTracker(Clock& clock, const config::Config& config) : clock_(clock), config_(config) {}
  Handle begin(std::string description, std::string source);
  void finish(Handle op);

  boost::json::object dump_running() const;
  boost::json::object dump_finished() const;

 private:
  boost::json::object dump(const Op& op, bool finished) const;
  void drop_old();

  Clock& clock_;
  const config::Config& config_;
  std::list<Op> running_;
  std::deque<Op> finished_;
};

}  // namespace plimsoll::mon
