// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients and monitors say to each other (wire.md 3), and `ceph tell`, which any daemon
// answers. Layouts are Ceph's. Maps travel as blobs: the sender has them encoded already.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/map/mgr_map.h"
#include "common/map/pg_stats.h"
#include "common/msg/message.h"

namespace plimsoll::msg {

/// The start of messages that go to a Paxos service in Ceph: the epoch of the map that the sender
/// has, then two fields that nobody uses.
struct PaxosHeader {
  uint64_t version = 0;
  template <class F>
  void fields(F& f) {
    f("version", version);
    f.constant("deprecated_session_mon", int16_t{-1});
    f.constant("deprecated_session_mon_tid", uint64_t{0});
  }
  bool operator==(const PaxosHeader&) const = default;
};

inline constexpr uint16_t kMonReplyPriority = 196;

struct MPing {
  static constexpr uint16_t kType = 2, kVersion = 1, kCompat = 1;
  template <class F>
  void fields(F&) {}
  bool operator==(const MPing&) const = default;
};

struct MMonGetMap {
  static constexpr uint16_t kType = 5, kVersion = 1, kCompat = 1;
  template <class F>
  void fields(F&) {}
  bool operator==(const MMonGetMap&) const = default;
};

struct MMonMap {
  static constexpr uint16_t kType = 4, kVersion = 1, kCompat = 1;
  Bytes monmap;  ///< encoded map::MonMap
  template <class F>
  void fields(F& f) {
    f("monmap", monmap);
  }
  bool operator==(const MMonMap&) const = default;
};

struct MMonSubscribe {
  static constexpr uint16_t kType = 15, kVersion = 3, kCompat = 1;
  struct Item {
    enum : uint8_t { kOneTime = 1 };
    uint64_t start = 0;  ///< first epoch wanted; 0 = whatever is newest
    uint8_t flags = 0;
    template <class F>
    void fields(F& f) {
      f("start", start);
      f("flags", flags);
    }
    bool operator==(const Item&) const = default;
  };
  std::map<std::string, Item> what;  ///< "osdmap", "monmap", "config", "mgrmap", ...
  std::string hostname;
  template <class F>
  void fields(F& f) {
    f("what", what);
    f("hostname", hostname, 3);
  }
  bool operator==(const MMonSubscribe&) const = default;
};

struct MMonSubscribeAck {
  static constexpr uint16_t kType = 16, kVersion = 1, kCompat = 1;
  uint32_t interval = 0;  ///< seconds until the subscription must be renewed
  Uuid fsid;
  template <class F>
  void fields(F& f) {
    f("interval", interval);
    f("fsid", fsid);
  }
  bool operator==(const MMonSubscribeAck&) const = default;
};

struct MConfig {
  static constexpr uint16_t kType = 62, kVersion = 1, kCompat = 1, kPriority = kMonReplyPriority;
  std::map<std::string, std::string> config;
  template <class F>
  void fields(F& f) {
    f("config", config);
  }
  bool operator==(const MConfig&) const = default;
};

struct MMgrMap {
  static constexpr uint16_t kType = 0x704, kVersion = 1, kCompat = 1, kPriority = kMonReplyPriority;
  map::MgrMap map;
  template <class F>
  void fields(F& f) {
    f("map", map);
  }
  bool operator==(const MMgrMap&) const = default;
};

struct MOSDMap {
  static constexpr uint16_t kType = 41, kVersion = 4, kCompat = 3, kPriority = kMonReplyPriority;
  Uuid fsid;
  std::map<Epoch, Bytes> incremental_maps;
  std::map<Epoch, Bytes> maps;
  /// From where on the sender has epochs. Stock clients take a whole map only if it is the next
  /// epoch, or this one: with one that lies behind it they ask for what is missing, once, and wait.
  Epoch oldest_map = 0;
  Epoch newest_map = 0;
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("incremental_maps", incremental_maps);
    f("maps", maps);
    f("oldest_map", oldest_map, 2);
    f("newest_map", newest_map, 2);
    f.constant("gap_removed_snaps", uint32_t{0}, 4);
  }
  bool operator==(const MOSDMap&) const = default;
  Epoch first() const { return edge(incremental_maps, maps, true); }
  Epoch last() const { return edge(incremental_maps, maps, false); }

 private:
  /// Lowest or highest epoch carried; 0 when empty.
  static Epoch edge(const std::map<Epoch, Bytes>& a, const std::map<Epoch, Bytes>& b, bool low) {
    if (a.empty() && b.empty()) return 0;
    if (a.empty()) return low ? b.begin()->first : b.rbegin()->first;
    if (b.empty()) return low ? a.begin()->first : a.rbegin()->first;
    return low ? std::min(a.begin()->first, b.begin()->first)
               : std::max(a.rbegin()->first, b.rbegin()->first);
  }
};

struct MMonGetVersion {
  static constexpr uint16_t kType = 19, kVersion = 1, kCompat = 1;
  uint64_t handle = 0;
  std::string what;
  template <class F>
  void fields(F& f) {
    f("handle", handle);
    f("what", what);
  }
  bool operator==(const MMonGetVersion&) const = default;
};

struct MMonGetVersionReply {
  static constexpr uint16_t kType = 20, kVersion = 2, kCompat = 2, kPriority = kMonReplyPriority;
  uint64_t handle = 0;
  uint64_t version = 0;
  uint64_t oldest = 0;
  template <class F>
  void fields(F& f) {
    f("handle", handle);
    f("version", version);
    f("oldest_version", oldest, 2);
  }
  bool operator==(const MMonGetVersionReply&) const = default;
};

struct MMonCommand {
  static constexpr uint16_t kType = 50, kVersion = 1, kCompat = 1;
  PaxosHeader paxos;
  Uuid fsid;
  std::vector<std::string> cmd;  ///< one JSON text
  Bytes data;                    ///< input
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("cmd", cmd);
  }
  bool operator==(const MMonCommand&) const = default;
};

struct MMonCommandAck {
  static constexpr uint16_t kType = 51, kVersion = 1, kCompat = 1, kPriority = kMonReplyPriority;
  PaxosHeader paxos;
  int32_t retval = 0;  ///< negative errno
  std::string outs;    ///< status text for stderr
  std::vector<std::string> cmd;
  Bytes data;  ///< output
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("retval", retval);
    f("outs", outs);
    f("cmd", cmd);
  }
  bool operator==(const MMonCommandAck&) const = default;
};

struct MStatfs {
  static constexpr uint16_t kType = 13, kVersion = 2, kCompat = 1;
  PaxosHeader paxos;
  Uuid fsid;
  bool has_pool = false;
  PoolId pool = -1;  ///< when has_pool
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("has_data_pool", has_pool, 2);
    if (has_pool) f("data_pool", pool, 2);
  }
  bool operator==(const MStatfs&) const = default;
};

struct MStatfsReply {
  static constexpr uint16_t kType = 14, kVersion = 1, kCompat = 1, kPriority = kMonReplyPriority;
  Uuid fsid;
  uint64_t version = 0;
  uint64_t kb = 0;
  uint64_t kb_used = 0;
  uint64_t kb_avail = 0;
  uint64_t num_objects = 0;
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("version", version);
    f("kb", kb);
    f("kb_used", kb_used);
    f("kb_avail", kb_avail);
    f("num_objects", num_objects);
  }
  bool operator==(const MStatfsReply&) const = default;
};

struct MGetPoolStats {
  static constexpr uint16_t kType = 58, kVersion = 1, kCompat = 1;
  PaxosHeader paxos;
  Uuid fsid;
  std::vector<std::string> pools;
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("pools", pools);
  }
  bool operator==(const MGetPoolStats&) const = default;
};

struct MGetPoolStatsReply {
  static constexpr uint16_t kType = 59, kVersion = 2, kCompat = 1, kPriority = kMonReplyPriority;
  PaxosHeader paxos;
  Uuid fsid;
  std::map<std::string, map::PoolStat> pool_stats;
  bool per_pool = true;
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("pool_stats", pool_stats);
    f("per_pool", per_pool, 2);
  }
  bool operator==(const MGetPoolStatsReply&) const = default;
};

struct MPoolOp {
  static constexpr uint16_t kType = 49, kVersion = 4, kCompat = 2;
  enum Op : uint32_t {
    kCreate = 1,
    kDelete = 2,
    kCreateSnap = 0x11,
    kDeleteSnap = 0x12,
    kCreateSelfManagedSnap = 0x21,
    kDeleteSelfManagedSnap = 0x22,
  };
  PaxosHeader paxos;
  Uuid fsid;
  uint32_t pool = 0;
  uint32_t op = 0;
  uint64_t snapid = 0;
  std::string name;
  int16_t crush_rule = 0;
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("pool", pool);
    f("op", op);
    f.constant("auid", uint64_t{0});
    f("snapid", snapid);
    f("name", name);
    f.constant("pad", uint8_t{0}, 3);
    f("crush_rule", crush_rule, 4);
  }
  bool operator==(const MPoolOp&) const = default;
};

struct MPoolOpReply {
  static constexpr uint16_t kType = 48, kVersion = 1, kCompat = 1, kPriority = kMonReplyPriority;
  PaxosHeader paxos;
  Uuid fsid;
  int32_t reply_code = 0;
  Epoch epoch = 0;
  bool has_response = false;
  Bytes response;  ///< when has_response; an encoded u64 snap id
  template <class F>
  void fields(F& f) {
    f("paxos", paxos);
    f("fsid", fsid);
    f("reply_code", reply_code);
    f("epoch", epoch);
    f("has_response", has_response);
    if (has_response) f("response", response);
  }
  bool operator==(const MPoolOpReply&) const = default;
};

// ---- tell
// -----------------------------------------------------------------------------------------

struct MCommand {
  static constexpr uint16_t kType = 97, kVersion = 1, kCompat = 1;
  Uuid fsid;
  std::vector<std::string> cmd;  ///< one JSON text
  Bytes data;                    ///< input
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("cmd", cmd);
  }
  bool operator==(const MCommand&) const = default;
};

struct MCommandReply {
  static constexpr uint16_t kType = 98, kVersion = 1, kCompat = 1;
  int32_t retval = 0;
  std::string outs;
  Bytes data;  ///< output
  template <class F>
  void fields(F& f) {
    f("retval", retval);
    f("outs", outs);
  }
  bool operator==(const MCommandReply&) const = default;
};

}  // namespace plimsoll::msg
