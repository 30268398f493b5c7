// SPDX-License-Identifier: LGPL-2.1-or-later
// What our own daemons say to monitors. Not Ceph's: an OSD asks for maps as clients do, but boots
// and reports in its own words. Fields are only ever appended, with a version behind them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/map/pg_stats.h"
#include "common/msg/message.h"

namespace plimsoll::msg {

struct MOsdBoot {
  static constexpr uint16_t kType = 0x8000, kVersion = 2, kCompat = 1;
  Uuid fsid;      ///< of the cluster that the store belongs to
  Uuid osd_uuid;  ///< of the store: another store under the same id is refused
  OsdId osd = kNoOsd;
  EntityAddr addr;
  Epoch newest_map = 0;  ///< held by the OSD
  uint64_t total_bytes = 0;
  std::string host;
  std::string device_class;
  std::map<std::string, std::string> metadata;
  uint32_t fullness = 0;  ///< map::kOsdFullness bits: known before it serves
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd_uuid", osd_uuid);
    f("osd", osd);
    f("addr", addr);
    f("newest_map", newest_map);
    f("total_bytes", total_bytes);
    f("host", host);
    f("device_class", device_class);
    f("metadata", metadata);
    f("fullness", fullness, 2);
  }
  bool operator==(const MOsdBoot&) const = default;
};

struct MOsdMarkMeDown {
  static constexpr uint16_t kType = 0x8001, kVersion = 1, kCompat = 1;
  Uuid fsid;
  OsdId osd = kNoOsd;
  EntityAddr addr;  ///< of this incarnation: a later boot is not undone by an old message
  Epoch epoch = 0;
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd", osd);
    f("addr", addr);
    f("epoch", epoch);
  }
  bool operator==(const MOsdMarkMeDown&) const = default;
};

struct MOsdMarkMeDownAck {
  static constexpr uint16_t kType = 0x8002, kVersion = 1, kCompat = 1;
  OsdId osd = kNoOsd;
  Epoch epoch = 0;  ///< the map that shows it down
  template <class F>
  void fields(F& f) {
    f("osd", osd);
    f("epoch", epoch);
  }
  bool operator==(const MOsdMarkMeDownAck&) const = default;
};

struct MOsdStats {
  static constexpr uint16_t kType = 0x8003, kVersion = 1, kCompat = 1;
  Uuid fsid;
  OsdId osd = kNoOsd;
  Epoch epoch = 0;  ///< the sender's osdmap
  map::OsdStat stat;
  std::vector<map::PgStat> pgs;  ///< those the OSD leads; only what changed since the last report
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd", osd);
    f("epoch", epoch);
    f("stat", stat);
    f("pgs", pgs);
  }
  bool operator==(const MOsdStats&) const = default;
};

/// From a PG's primary, repeated until the map says the same: `newcomer` has had all of the PG, and
/// every write, since the epoch `since`.
struct MOsdPgJoin {
  static constexpr uint16_t kType = 0x8006, kVersion = 1, kCompat = 1;
  Uuid fsid;
  PgId pg;
  Epoch since = 0;          ///< of the interval
  Epoch epoch = 0;          ///< of the primary's map: it still is that interval
  std::vector<OsdId> home;  ///< who holds all of it in this interval
  OsdId newcomer = kNoOsd;
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("pg", pg);
    f("since", since);
    f("epoch", epoch);
    f("home", home);
    f("newcomer", newcomer);
  }
  bool operator==(const MOsdPgJoin&) const = default;
};

/// Repeated while it lasts.
struct MOsdUnreachable {
  static constexpr uint16_t kType = 0x8007, kVersion = 1, kCompat = 1;
  Uuid fsid;
  OsdId osd = kNoOsd;
  EntityAddr addr;       ///< of its incarnation
  bool refused = false;  ///< nobody listens there; else it does not answer
  uint32_t seconds = 0;  ///< for how long
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd", osd);
    f("addr", addr);
    f("refused", refused);
    f("seconds", seconds);
  }
  bool operator==(const MOsdUnreachable&) const = default;
};

/// Repeated until the map says the same.
struct MOsdFullness {
  static constexpr uint16_t kType = 0x8005, kVersion = 1, kCompat = 1;
  Uuid fsid;
  OsdId osd = kNoOsd;
  EntityAddr addr;      ///< of this incarnation
  uint32_t state = 0;   ///< map::kOsdFullness bits, one or none
  std::string reason;   ///< for people; empty where the use alone says it
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd", osd);
    f("addr", addr);
    f("state", state);
    f("reason", reason);
  }
  bool operator==(const MOsdFullness&) const = default;
};

struct LogEntry {
  static constexpr wire::Envelope kEnvelope{1, 1};
  enum Level : uint8_t { kDebug = 0, kInfo = 1, kSecurity = 2, kWarn = 3, kError = 4 };
  Utime stamp;
  std::string name;  ///< "osd.3"
  EntityAddr addr;
  uint64_t seq = 0;  ///< per sender: the monitor drops what it has seen
  uint8_t level = kInfo;
  std::string channel = "cluster";
  std::string text;
  template <class F>
  void fields(F& f) {
    f("stamp", stamp);
    f("name", name);
    f("addr", addr);
    f("seq", seq);
    f("level", level);
    f("channel", channel);
    f("text", text);
  }
  bool operator==(const LogEntry&) const = default;
};

struct MLog {
  static constexpr uint16_t kType = 0x8004, kVersion = 1, kCompat = 1;
  Uuid fsid;
  std::vector<LogEntry> entries;
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("entries", entries);
  }
  bool operator==(const MLog&) const = default;
};

}  // namespace plimsoll::msg
