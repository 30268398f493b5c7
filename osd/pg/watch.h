// SPDX-License-Identifier: LGPL-2.1-or-later
// Watch: how the simulator looks into an OSD, and breaks it. Its checkers hear here what no client
// can see; the faults are planted to prove that the checkers look. A daemon's process has none.
#pragma once

#include "common/map/osd_map.h"

namespace plimsoll::osd {

struct ClientOp;

class Watch {
 public:
  virtual ~Watch() = default;
  /// A PG of `osd` has come to this epoch.
  virtual void came_to(OsdId osd, PgId pg, const map::OSDMap& map) = 0;
  /// The primary gives a client's write its version, under this map.
  virtual void ordered(PgId pg, const ClientOp& op, const map::OSDMap& map) = 0;

  /// Planted: a loan is made and not written down.
  virtual bool forgets_loan() = 0;
  /// Planted: what was sent before its pool was full is carried out.
  virtual bool carries_out_outdated() = 0;
  /// Planted: a write is acknowledged when the primary alone has it.
  virtual bool acks_alone() = 0;
  /// Planted: what a write changes is stored, but not that it happened.
  virtual bool forgets_log_entry() = 0;
};

/// The space of an OSD at one moment.
struct SpaceLedger {
  uint64_t used = 0;
  uint64_t lent = 0;
  uint64_t full_line = 0;  ///< 0: no map yet
  uint64_t failsafe_line = 0;
  /// So far: lent to what may go above the full line, and set aside for copies of recovery.
  uint64_t excepted = 0;
  /// A loan ends when the store has set its bytes aside, and not a while after that.
  bool exact = true;
};

}  // namespace plimsoll::osd
