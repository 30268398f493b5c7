// SPDX-License-Identifier: LGPL-2.1-or-later
// OsdMembership: how OSDs come and go. An OSD is registered by `osd new` or by its first boot;
// boots mark it up and place it in the CRUSH map; it goes down when it says so, or when its session
// with the monitor is lost and not back within osd_heartbeat_grace; and out when it stays down for
// mon_osd_down_out_interval.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/msg/mon_peer_messages.h"
#include "mon/log_service.h"
#include "mon/osd_service.h"

namespace plimsoll::mon {

using OsdMetadata = std::map<std::string, std::string>;

class OsdMembership {
 public:
  OsdMembership(Runtime& runtime, const config::Config& config, OsdService& osd, LogService& log);
  Task<Result<>> load(Consensus& consensus);

  /// Marks it up, after marking down what claims to be an earlier incarnation, so that clients
  /// notice; it stays a member of its PGs, for nothing was written without it. EEXIST: the id
  /// belongs to another store; EPERM: the map forbids it (noup, destroyed).
  Task<Result<Epoch>> boot(msg::MOsdBoot boot);
  /// Marks this incarnation down; no change where it is not the one that is up. `for_a_moment`: it
  /// is here, and boots in the next epoch.
  Task<Result<Epoch>> mark_down(OsdId osd, EntityAddr addr, std::string why,
                                bool for_a_moment = false);
  /// How full this incarnation says it is. What the map shows already is only noted.
  Task<void> report_fullness(msg::MOsdFullness m);
  /// Makes an OSD a member of a PG that it has got all of, if nothing came in between.
  Task<void> join_pg(msg::MOsdPgJoin m);
  /// `reporter` cannot reach another OSD.
  Task<void> report_unreachable(OsdId reporter, msg::MOsdUnreachable m);
  /// Why it is full, in its own words; empty where its use says enough.
  const std::map<OsdId, std::string>& full_reasons() const { return full_reasons_; }
  /// A session of the incarnation at `addr` began or ended.
  void session_opened(OsdId osd, EntityAddr addr);
  void session_lost(OsdId osd, EntityAddr addr);
  /// Periodic: lost sessions lead to down, down to out, old blocklist entries away.
  Task<void> tick();

  /// Empty for an OSD that never booted.
  const OsdMetadata& metadata(OsdId osd) const;
  /// Forgets what is known about an OSD, with the changes of `draft`.
  void forget(OsdId osd, OsdDraft& draft);
  /// Since when it has been down, as seen by this monitor.
  std::optional<Duration> down_for(OsdId osd) const;

 private:
  struct Lost {
    EntityAddr addr;
    TimePoint since;
    bool had_session;  ///< with this monitor since it started
  };
  /// Who cannot reach an incarnation, and when he last said so.
  struct Accused {
    EntityAddr addr;
    std::map<OsdId, TimePoint> by;
  };
  bool enough_reporters(OsdId osd, const Accused& accused) const;
  static OsdMetadata metadata_of(const msg::MOsdBoot& boot);
  Result<> edit_boot(const msg::MOsdBoot& boot, OsdDraft& d);
  Result<> place(const msg::MOsdBoot& boot, OsdDraft& d);
  void watch_down_osds();
  Task<void> mark_lost_down();
  Task<void> mark_old_out();
  Task<void> expire_blocklist();
  bool may_mark_out(OsdId osd, const map::OSDMap& map) const;
  std::map<OsdId, Accused> accused_;

  Runtime& runtime_;
  const config::Config& config_;
  OsdService& osd_;
  LogService& log_;
  std::map<OsdId, OsdMetadata> metadata_;
  std::map<OsdId, EntityAddr> sessions_;
  std::map<OsdId, Lost> lost_;
  std::map<OsdId, TimePoint> down_since_;
  std::map<OsdId, std::string> full_reasons_;
};

}  // namespace plimsoll::mon
