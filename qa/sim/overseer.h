// SPDX-License-Identifier: LGPL-2.1-or-later
// Overseer: hears what all OSDs of a simulated cluster do, step by step, and hands it to the
// checkers; plants the bugs that they must find.
#pragma once

#include "common/base/rng.h"
#include "osd/pg/watch.h"
#include "qa/sim/full_check.h"
#include "qa/sim/map_check.h"

namespace plimsoll::sim {

/// Chances are for each occasion.
struct Plants {
  double forgets_loan = 0;
  double forgets_log_entry = 0;
  bool carries_out_outdated = false;
  bool acks_alone = false;
};

class Overseer : public osd::Watch {
 public:
  Overseer(Rng rng, Plants plants) : rng_(rng), plants_(plants) {}

  /// An OSD starts.
  void begin(const std::string& name, OsdId osd);
  void look(const std::string& name, const osd::SpaceLedger& ledger) { full_.look(name, ledger); }
  const MapCheck& maps() const { return maps_; }
  std::vector<std::string> wrong() const;

  // Watch
  void came_to(OsdId osd, PgId pg, const map::OSDMap& map) override;
  void ordered(PgId pg, const osd::ClientOp& op, const map::OSDMap& map) override;
  bool forgets_loan() override { return now_and_then(plants_.forgets_loan); }
  bool carries_out_outdated() override { return plants_.carries_out_outdated; }
  bool acks_alone() override { return plants_.acks_alone; }
  bool forgets_log_entry() override { return now_and_then(plants_.forgets_log_entry); }

 private:
  bool now_and_then(double chance) { return chance > 0 && rng_.chance(chance); }

  Rng rng_;
  const Plants plants_;
  FullCheck full_;
  MapCheck maps_;
};

}  // namespace plimsoll::sim
