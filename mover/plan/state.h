// SPDX-License-Identifier: LGPL-2.1-or-later
// State: what the planner knows of a cluster, at one moment. Values only; mover/model makes it from
// a dump, the planner and the checker read it. Devices are indexed by OSD id, PGs by a dense index
// that ascends with the PG id, so that a million PGs stay in a few flat arrays and the same input
// gives the same plan. All sizes are bytes on the device.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "common/map/osd_map.h"

namespace plimsoll::mover {

using PgIndex = uint32_t;

struct Device {
  bool exists = false;
  bool up = false;
  bool in = false;
  bool cordoned = false;       ///< takes nothing new
  uint64_t size = 0;           ///< 0: not reported; neither source nor target
  uint64_t used = 0;           ///< as reported now, fullness is judged by it
  uint64_t fixed = 0;          ///< of `used`, what no shard explains; it never moves
  int64_t growth_per_day = 0;  ///< of all that is on it
  bool operator==(const Device&) const = default;
};

struct Pool {
  map::PgPool info;
  std::string name;
  int rule = -1;             ///< CRUSH rule id
  uint32_t data_chunks = 1;  ///< k of an erasure-coded pool
  bool splitting = false;    ///< pg_num or pgp_num is on its way to a target
  bool operator==(const Pool&) const = default;
};

/// Bits of State::pg_flags: what a PG's report says.
enum PgFlag : uint8_t {
  kPgIsActive = 1,
  kPgIsClean = 2,
  kPgIsDegraded = 4,    ///< fewer good copies than the pool's size, or lost objects
  kPgIsUnreported = 8,  ///< no statistics: its size is unknown
  kPgHasUpmap = 16,     ///< an entry in pg_upmap (a whole vector) pins it
};

struct State {
  Epoch epoch = 0;
  map::SharedCrush crush;
  double nearfull_ratio = 0.85;
  double backfillfull_ratio = 0.90;
  double full_ratio = 0.95;
  /// Flags of the map that stop data from moving ("norebalance", "nobackfill", ...), by name.
  std::vector<std::string> stopping_flags;

  std::vector<Device> devices;  ///< by OSD id
  std::map<PoolId, Pool> pools;

  // ---- PGs, one element each in ascending order of id
  std::vector<PgId> pg_ids;
  std::vector<uint8_t> pg_flags;  ///< PgFlag bits
  /// Offset of the PG's positions in `raw`, `up`, `acting` and `shard_bytes`; one element more than
  /// PGs. A PG has as many positions as its pool's size; holes are kOsdNone.
  std::vector<uint32_t> first_position;
  std::vector<OsdId> raw;     ///< CRUSH's own answer
  std::vector<OsdId> up;      ///< after upmap entries, whoever is up: where data belongs
  std::vector<OsdId> acting;  ///< who has it now; differs while data moves
  /// Bytes that the shard at this position takes on its device, calibrated.
  std::vector<uint64_t> shard_bytes;
  /// The pg_upmap_items entries as the map has them, dead pairs too; PGs without one are absent.
  std::map<PgIndex, map::UpmapItems> upmap_items;

  size_t num_pgs() const { return pg_ids.size(); }
  uint32_t width(PgIndex pg) const { return first_position[pg + 1] - first_position[pg]; }
  std::span<const OsdId> raw_of(PgIndex pg) const { return slice(raw, pg); }
  std::span<const OsdId> up_of(PgIndex pg) const { return slice(up, pg); }
  std::span<const OsdId> acting_of(PgIndex pg) const { return slice(acting, pg); }
  std::span<const uint64_t> bytes_of(PgIndex pg) const {
    return {shard_bytes.data() + first_position[pg], width(pg)};
  }
  /// The index of a PG; num_pgs() when it is not there.
  PgIndex find(PgId pg) const;

 private:
  std::span<const OsdId> slice(const std::vector<OsdId>& all, PgIndex pg) const {
    return {all.data() + first_position[pg], width(pg)};
  }
};

/// Does the acting set differ from the up set (in replicated pools: in its members)?
bool is_moving(const State& state, PgIndex pg);

/// Use of every device, by OSD id: `now` as reported, `final` once what is in flight has arrived
/// and what it replaces is deleted, `peak` with the first and without the second. In flight is
/// where a PG's acting set differs from its up set.
struct Use {
  std::vector<uint64_t> now, final_, peak;
};
Use use_of(const State& state);

}  // namespace plimsoll::mover
