// SPDX-License-Identifier: LGPL-2.1-or-later
// MapFollower: the current OSDMap of a client, kept up from MOSDMap messages, whoever sent them.
// Pure. Incrementals that do not connect are passed over; full maps jump.
#pragma once

#include <memory>

#include "common/msg/mon_messages.h"
#include "common/rados/target.h"

namespace plimsoll::rados {

class MapFollower {
 public:
  using Map = std::shared_ptr<const map::OSDMap>;
  struct Step {
    std::vector<Map> maps;       ///< the new epochs, ascending
    bool skipped = false;        ///< epochs that nobody saw lie before one of them
    std::set<PoolId> full_seen;  ///< pools full in any map of the batch, the last included
    bool gap = false;            ///< newer maps exist that do not connect: ask from epoch + 1
  };
  /// EINVAL where a map is damaged or belongs to another cluster; maps before it are applied.
  Result<Step> apply(const msg::MOSDMap& message);

  /// Null before the first map.
  const Map& current() const { return map_; }
  Epoch epoch() const { return map_ ? map_->epoch : 0; }

 private:
  Map map_;
};

}  // namespace plimsoll::rados
