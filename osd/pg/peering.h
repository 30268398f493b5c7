// SPDX-License-Identifier: LGPL-2.1-or-later
// Peering: how the copies of a PG agree after a change, before it serves. A pure state machine on
// the primary: events in, actions out; the PG carries the actions out and reports back.
//
//   GetInfo     ask every member what it has
//   GetLog      fetch the log of the best copy, where that is not our own
//   MergePeers  bring every member's log to the same, which tells what objects each one lacks
//   Recover     pull what we lack, then push what others lack
//   Activate    everyone notes durably that this interval served
//   Active
//   Peered      instead: a member is down, or they are too few; OSDs may become members
//
// All of the PG's home that is up takes part, and nothing is served before everything is everywhere
// there: what members lack is only what was under way when the last interval ended. Each alone has
// all that was ever acknowledged, so members that are down are needed only to serve. OSDs that
// lack more become members later (joining.h). Requests may be lost at any time: resend() repeats
// what is outstanding, and all of them are idempotent.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "osd/pg/pg_log.h"

namespace plimsoll::osd {

/// What a copy of a PG is. Durable, but for the log's bounds, which follow from the log.
struct PgInfo {
  static constexpr wire::Envelope kEnvelope{4, 1};
  Eversion last_update;  ///< newest log entry
  Eversion log_tail;
  Epoch last_epoch_started = 0;  ///< interval in which this copy last took part in an activation
  Epoch last_epoch_clean = 0;
  Epoch created = 0;
  Epoch last_marked_full = 0;  ///< its pool; what clients sent before is not carried out
  bool copying = false;        ///< began with nothing, and does not know all objects yet
  HObject copied;              ///< while copying: up to here all objects are there or missing
  Eversion known_from;         ///< requests of clients behind this are known; follows from the log
  template <class F>
  void fields(F& f) {
    f("last_update", last_update);
    f("log_tail", log_tail);
    f("last_epoch_started", last_epoch_started);
    f("last_epoch_clean", last_epoch_clean);
    f("created", created);
    f("last_marked_full", last_marked_full, 2);
    f("copying", copying, 3);
    f("known_from", known_from, 4);
    f("copied", copied, 4);
  }
  bool operator==(const PgInfo&) const = default;
};

/// A stretch of epochs with the same members in the same incarnations.
struct Interval {
  Epoch since = 0;
  OsdId primary = kNoOsd;
  OsdId up_primary = kNoOsd;
  std::vector<OsdId> up, acting;
  std::vector<OsdId> home;     ///< who holds the data, down or not
  std::vector<OsdId> down;     ///< members of home that are not in acting
  std::vector<Epoch> up_from;  ///< of each in acting, then each in up
  bool lost = false;           ///< nobody holds it, and nobody ever will
  uint32_t size = 0, min_size = 0;
  bool operator==(const Interval& o) const {
    return primary == o.primary && up_primary == o.up_primary && up == o.up && acting == o.acting &&
           home == o.home && down == o.down && up_from == o.up_from && lost == o.lost &&
           size == o.size && min_size == o.min_size;
  }
  bool has(OsdId osd) const;
};

enum class PeeringState : uint8_t {
  kStray,    ///< not a member
  kReplica,  ///< the primary decides
  kGetInfo,
  kGetLog,
  kMergePeers,
  kIncomplete,  ///< a copy lies too far behind the logs
  kRecover,
  kUnfound,  ///< an object's needed version is nowhere
  kActivate,
  kPeered,  ///< whole, but a member is down or there are fewer than min_size
  kActive,
};
const char* peering_state_name(PeeringState state);

struct PeeringAction {
  enum Kind : uint8_t {
    kQuery,      ///< ask `osd` for its info and missing objects
    kGetLog,     ///< ask `osd` for its log behind `version`
    kMergePeer,  ///< send `osd` our log behind its head `version`
    kPull,       ///< fetch `object` at `version` from `osd`
    kPush,       ///< send `object` at `version` to `osd`
    kActivate,   ///< `osd` (maybe ourselves) is to note the activation durably
    kServe,      ///< the PG is active
    kRest,       ///< the PG is peered
  };
  Kind kind;
  OsdId osd = kNoOsd;
  Eversion version;
  HObject object;
  std::string to_string() const;
};
using PeeringActions = std::vector<PeeringAction>;

class Peering {
 public:
  /// Objects in flight at a time while recovering.
  static constexpr size_t kRecoveryWindow = 8;

  /// Forgets all and begins the interval with what our own copy is.
  PeeringActions start(const Interval& interval, OsdId self, const PgInfo& own,
                       const Missing& missing);

  /// An answer to kQuery or, `merged`, to kMergePeer.
  PeeringActions on_info(OsdId from, const PgInfo& info, const Missing& missing, bool merged);
  /// The log from `from` is merged and durable; this is what our copy is now. EINVAL-like failure
  /// of the merge: on_log_failed.
  PeeringActions on_log_merged(const PgInfo& own, const Missing& missing);
  PeeringActions on_log_failed(std::string why);
  /// `osd` (maybe ourselves) has the object durably.
  PeeringActions on_recovered(OsdId osd, const HObject& object);
  /// `source` cannot deliver the object; where it is pushed, we are the source.
  PeeringActions on_source_failed(OsdId source, const HObject& object);
  PeeringActions on_activated(OsdId osd);

  /// Repeats what `osd` (all: kNoOsd) has not answered. Transfers of objects are repeated only for
  /// one OSD: its connection was lost.
  PeeringActions resend(OsdId osd = kNoOsd);

  PeeringState state() const { return state_; }
  bool active() const { return state_ == PeeringState::kActive; }
  /// All members have everything, so others may be brought in.
  bool whole() const { return active() || state_ == PeeringState::kPeered; }
  const Interval& interval() const { return interval_; }
  bool is_primary() const { return interval_.primary == self_; }
  /// Why it is not active, for people; empty when it is.
  std::string why() const;
  /// OSDs that we wait for.
  std::vector<OsdId> blocked_by() const;
  const std::map<OsdId, Missing>& missing() const { return missing_; }
  size_t missing_total() const;
  const std::map<OsdId, PgInfo>& infos() const { return infos_; }
  struct Transfer {
    OsdId to;
    HObject object;
    auto operator<=>(const Transfer&) const = default;
  };
  /// Objects on their way, with their sources.
  const std::map<Transfer, OsdId>& transfers() const { return transfers_; }

 private:
  void choose(PeeringActions& out);
  void merge_peers(PeeringActions& out);
  void recover(PeeringActions& out);
  void start_transfer(OsdId osd, const HObject& object, Eversion version, PeeringActions& out);
  std::optional<OsdId> source_of(const HObject& object) const;
  void activate(PeeringActions& out);
  bool may_serve() const;
  bool all_of(const std::set<OsdId>& done) const { return done.size() == interval_.acting.size(); }

  OsdId self_ = kNoOsd;
  Interval interval_;
  PeeringState state_ = PeeringState::kStray;
  std::map<OsdId, PgInfo> infos_;
  std::map<OsdId, Missing> missing_;
  OsdId best_ = kNoOsd;
  std::set<OsdId> answered_;  ///< in the current state
  std::map<Transfer, OsdId> transfers_;
  std::set<std::pair<OsdId, HObject>> failed_;  ///< sources that could not deliver
  std::string problem_;
};

}  // namespace plimsoll::osd
