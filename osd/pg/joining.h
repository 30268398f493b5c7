// SPDX-License-Identifier: LGPL-2.1-or-later
// Joining: how an OSD that the map wants in a PG gets all of it while the PG serves. A pure state
// machine on the primary, like Peering: events in, actions out.
//
//   Ask     what does the newcomer have?
//   Reset   its log does not reach ours: it throws its copy away
//   Merge   it takes our log, which tells what objects it lacks; from here on it gets every write
//   Scan    after a reset, page by page: the objects that the log does not name. How far it has
//           come the newcomer knows durably; after an interruption it goes on from there
//   Copy    what it lacks is pushed, a few objects at a time
//   LetIn   it has all that was ever acknowledged: the monitor is asked to make it a member
//
// A write to an object that the newcomer lacks, or that the scan has not come to, is only noted
// there; so what is pushed is always the newest, and what it has need never be copied again. The
// PG's home in the map therefore always is a set of OSDs of which each alone has everything. Where
// a write overtook a push, writes wait for the next one: an object that is written all the time
// would never arrive.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/map/osd_map.h"
#include "osd/pg/peering.h"

namespace plimsoll::osd {

enum class JoinState : uint8_t { kNone, kAsk, kReset, kMerge, kScan, kCopy, kLetIn };
const char* join_state_name(JoinState state);

struct JoinAction {
  enum Kind : uint8_t {
    kQuery,  ///< ask the newcomer for its info and missing objects
    kReset,  ///< tell it to begin again with nothing
    kMerge,  ///< send it our log behind `version`; it gets all writes from here on
    kList,   ///< list objects behind `object` (at most kPage) for on_listed()
    kPage,   ///< send it `page`, the objects up to `object`; `last`: there are no more
    kPush,   ///< send it `object` at `version`
    kLetIn,  ///< ask the monitor to make it a member
  };
  Kind kind;
  Eversion version;
  HObject object;
  Missing page;
  bool last = false;
  bool hold = false;  ///< with kPush: no write until on_pushed() or on_not_pushed()
  Eversion known_from{};  ///< with kMerge: it knows the requests of clients behind this
  std::string to_string() const;
};
using JoinActions = std::vector<JoinAction>;

class Joining {
 public:
  /// Objects listed at a time.
  static constexpr size_t kPage = 256;

  /// `busy`: the object cannot be sent just now. `window`: how many objects may be on their way at
  /// a time; while none may, it gets all writes, and waits. pump() is called when either may have
  /// changed.
  Joining(std::function<bool(const HObject&)> busy, std::function<size_t()> window)
      : busy_(std::move(busy)), window_(std::move(window)) {}

  JoinActions start(OsdId newcomer);
  void stop();

  /// What the newcomer is now; `log` is ours.
  JoinActions on_info(const PgInfo& info, const Missing& missing, const PgLog& log);
  /// The objects behind the last cursor, in order.
  JoinActions on_listed(const Missing& objects, const HObject& up_to, bool last);
  /// It has noted durably that the last page was the last.
  JoinActions on_last_page_noted();
  /// It has the object durably at this version.
  JoinActions on_pushed(const HObject& object, Eversion version);
  /// It is `busy`: comes later. Else it could not be read at that version.
  JoinActions on_not_pushed(const HObject& object, bool busy);
  /// Now and then: what did not work is tried again.
  JoinActions retry();
  /// A write that was sent to the newcomer too.
  void wrote(const LogEntry& entry);
  /// Whatever can go on does.
  JoinActions pump();

  OsdId newcomer() const { return newcomer_; }
  JoinState state() const { return state_; }
  /// It gets every write, and acknowledges it.
  bool follows() const { return state_ >= JoinState::kMerge; }
  /// Its copy began with nothing, and not all objects have been listed to it.
  bool scans() const { return scans_; }
  const Missing& missing() const { return missing_; }
  /// It gets every write, but not all that was written before.
  bool lacks() const { return !missing_.empty() || (scans_ && !scanned_.is_max); }
  /// How many of the PG's `objects` it lacks still.
  int64_t left(int64_t objects) const;

 private:
  JoinActions merge(const PgInfo& info);

  const std::function<bool(const HObject&)> busy_;
  const std::function<size_t()> window_;
  OsdId newcomer_ = kNoOsd;
  JoinState state_ = JoinState::kNone;
  bool scans_ = false;
  bool knows_all_ = false;  ///< the newcomer has the last page of the scan
  HObject scanned_;  ///< up to here
  int64_t listed_ = 0;  ///< objects by the scan
  Missing missing_;
  std::map<HObject, Eversion> sent_;
  std::set<HObject> overtaken_;  ///< by writes while they were sent
  std::set<HObject> unreadable_;  ///< until they are written
  /// Not missing any more once the newcomer, as everyone, has the deletion.
  std::set<HObject> deleting_;
  /// Newest of each object since the log was sent or a listing began; nullopt where it is deleted.
  std::map<HObject, std::optional<Eversion>> recent_;
};

/// Whose newcomers are copied to first, the higher the sooner: PGs that cannot serve, then those
/// with too few members, then moves away from an OSD that is too full, then all others.
int join_priority(const Interval& interval, const map::OSDMap& map);

}  // namespace plimsoll::osd
