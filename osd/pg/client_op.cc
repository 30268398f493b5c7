// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/client_op.h"

#include <fmt/format.h>

#include "osd/pg/op_tracker.h"

namespace plimsoll::osd {

ClientOp::~ClientOp() {
  if (tracker) tracker->finish(*this);
}

TimePoint ClientOp::note(const char* event) {
  const TimePoint now = tracker->now();
  events.add(event, now);
  return now;
}

std::string ClientOp::describe() const {
  std::string ops;
  for (const auto& op : m.ops) ops += (ops.empty() ? "" : ",") + msg::op_name(op.code);
  return fmt::format("osd_op({} {} {} [{}] snapc {:x}=[] RETRY={} flags={:#x} e{})",
                     reqid.to_string(), m.pgid.pg.to_string(), object.to_string(), ops, m.snap_seq,
                     m.retry_attempt, m.flags, m.epoch);
}

}  // namespace plimsoll::osd
