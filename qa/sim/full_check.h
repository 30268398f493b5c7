// SPDX-License-Identifier: LGPL-2.1-or-later
// FullCheck: what must hold of a cluster that fills up, at every step of every OSD.
//
//   space  What is used and lent together stays below the full line, but for what may go above it:
//          then by no more than was lent to that, and never above the failsafe line.
//   order  Once a PG has come to an epoch that made its pool full, no write gets a version that its
//          client sent before that epoch: whoever saw the epoch may have given the write up.
//
// The rules are worked out here from what happens, not from what OSDs believe. Fed by the Overseer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "osd/pg/watch.h"

namespace plimsoll::sim {

class FullCheck {
 public:
  /// An OSD starts.
  void begin(const std::string& osd) { seen_.erase(osd); }
  void look(const std::string& osd, const osd::SpaceLedger& ledger);
  /// Every line begins with the name of its rule. One for each kind.
  const std::vector<std::string>& wrong() const { return wrong_; }

  /// A PG has come to this epoch.
  void came_to(PgId pg, const map::OSDMap& map);
  /// A primary gives a write its version, under this map.
  void ordered(PgId pg, const osd::ClientOp& op, const map::OSDMap& map);

 private:
  struct Seen {
    uint64_t full_line = 0;
    uint64_t excepted = 0;
    uint64_t above = 0;  ///< what may lie above the full line
  };
  /// The newest epoch until `until` that made a pool full; 0: none.
  Epoch made_full(PoolId pool, Epoch until) const;
  void complain(const std::string& about, std::string what);

  std::map<std::string, Seen> seen_;
  std::map<PoolId, std::map<Epoch, bool>> full_;  ///< whether it says so, for each epoch
  std::map<PgId, Epoch> barrier_;
  std::map<std::string, size_t> complaints_;
  std::vector<std::string> wrong_;
};

}  // namespace plimsoll::sim
