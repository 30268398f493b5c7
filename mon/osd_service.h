// SPDX-License-Identifier: LGPL-2.1-or-later
// OsdService: owner of the OSDMap. Everything that changes the map is an edit of the pending
// Incremental; edits that come within kBatchDelay of each other become one epoch, urgent ones
// (full, pause, blocklist, boot) do not wait. While an epoch is being committed edits wait, so that
// each sees all that came before. Every epoch that could change placement gets pg_temp entries that
// keep PGs where their data is, until OSDs say that it has moved.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/config/config.h"
#include "common/log/log.h"
#include "common/map/osd_map.h"
#include "common/rt/runtime.h"
#include "common/rt/sync.h"
#include "common/rt/task_group.h"
#include "mon/osd_map_store.h"

namespace plimsoll::mon {

/// What an edit works on.
struct OsdDraft {
  const map::OSDMap& base;  ///< the newest epoch
  const map::OSDMap& now;   ///< base with all earlier pending edits
  map::Incremental& inc;
  KvBatch& extra;  ///< committed together with the epoch
  map::HomeChanges& homes;
  bool urgent = false;

  /// Sets and clears state bits of an OSD, whatever earlier edits did to it.
  void set_state(OsdId osd, uint32_t on, uint32_t off);
  void set_weight(OsdId osd, uint32_t weight) { inc.new_weight[osd] = weight; }
  void set_flags(uint32_t on, uint32_t off);
  /// The pool for editing; its last_change becomes this epoch.
  map::PgPool& edit_pool(PoolId id);
  void remove_pool(PoolId id);
  /// Removes an OSD from the map (not from CRUSH).
  void remove_osd(OsdId osd);
};

class OsdService {
 public:
  static constexpr Duration kBatchDelay = 5ms;
  /// An edit that fails leaves no trace.
  using Edit = std::function<Result<>(OsdDraft&)>;

  OsdService(Runtime& runtime, const config::Config& config, Consensus& consensus);
  Task<Result<>> load();
  Task<void> stop();

  const map::OSDMap& map() const { return map_; }
  Epoch epoch() const { return map_.epoch; }
  /// The last epoch in which PGs may have got other members, but for those that joined.
  Epoch moved() const { return moved_; }
  const OsdMapStore& maps() const { return store_; }
  OsdMapStore& maps() { return store_; }

  /// Runs the edit and waits until its epoch is committed; returns that epoch. An edit that changes
  /// nothing returns at once.
  Task<Result<Epoch>> change(const Edit& edit);
  /// change() of a copy of the CRUSH map.
  Task<Result<Epoch>> change_crush(const std::function<Result<>(map::CrushMap&)>& edit);

  /// Called after every new epoch, with the map before it.
  std::function<void(const map::OSDMap& before)> on_epoch;

 private:
  Task<void> commit_loop();
  Task<void> wait_for_batch();
  Task<void> commit_pending();
  void finish(map::Incremental& inc, const map::HomeChanges& homes) const;
  const map::OSDMap& preview();

  Runtime& runtime_;
  const config::Config& config_;
  Consensus& consensus_;
  Logger log_{log::Subsystem::kMon, "osdmap"};
  OsdMapStore store_;
  map::OSDMap map_;
  map::Incremental pending_;
  KvBatch pending_extra_;
  map::HomeChanges pending_homes_;
  bool urgent_ = false;
  std::optional<map::OSDMap> preview_;
  std::vector<std::shared_ptr<OneShot<Result<Epoch>>>> waiters_;
  bool committing_ = false;
  Epoch moved_ = 0;
  WaitQueue committed_;
  WaitQueue work_;
  TaskGroup tasks_;
};

/// Whether `inc` can change where a PG wants to be.
bool changes_placement(const map::OSDMap& before, const map::Incremental& inc);

}  // namespace plimsoll::mon
