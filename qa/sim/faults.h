// SPDX-License-Identifier: LGPL-2.1-or-later
// What goes wrong in a scenario.
#pragma once

#include <cstddef>

namespace plimsoll::sim {

struct Faults {
  bool kill_one = false;      ///< OSDs, one at a time
  bool kill_mon = false;
  bool kill_all = false;
  bool kill_client = false;   ///< one beside the other, with operations under way
  bool reset_streams = false;
  bool cut_links = false;     ///< one way or both
  bool noise = false;         ///< bits flip on the wire, streams stall, clocks are off by hours
  bool lose_pushes = false;   ///< what the monitor or an OSD sends is held up, then lost
  bool skip_maps = false;     ///< clients that lack more than an epoch get the newest map whole
  bool mark_down = false;     ///< OSDs that run are called down
  bool slow_replica = false;  ///< one OSD's disks are slow all the time
  bool bad_disk = false;      ///< one OSD's disk rots, and fails to read now and then
  bool members = false;       ///< OSDs are away for long, replaced by empty ones, out and in
  bool churn = false;         ///< any OSDs away at any time, while data moves; see Adversary
  bool disaster = false;      ///< once, more disks are lost than the pool tolerates
  bool fill = false;          ///< the pool becomes full, again and again
  bool restart_clean = false; ///< stop and start everything in order at the end
  size_t osd_shards = 1;

  bool any() const {
    return kill_one || kill_mon || kill_all || kill_client || reset_streams || cut_links ||
           noise || lose_pushes || mark_down || bad_disk || members || churn || disaster;
  }
};

}  // namespace plimsoll::sim
