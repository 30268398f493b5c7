// SPDX-License-Identifier: LGPL-2.1-or-later
// What clients and OSDs say to each other (wire.md 7), in Ceph's layouts. Our OSDs decode requests
// and encode replies; our Objecter does the reverse, towards real Ceph OSDs as well.
#pragma once

#include <string>
#include <vector>

#include "common/msg/message.h"
#include "common/msg/osd_op.h"

namespace plimsoll::msg {

/// MOsdOp::flags.
enum RequestFlag : uint32_t {
  kReqAck = 0x1,
  kReqOnDisk = 0x4,
  kReqRetry = 0x8,
  kReqRead = 0x10,
  kReqWrite = 0x20,
  kReqOrderSnap = 0x40,
  kReqPeerStat = 0x80,
  kReqBalanceReads = 0x100,
  kReqPgOp = 0x400,
  kReqExec = 0x800,
  kReqLocalizeReads = 0x2000,
  kReqRwOrdered = 0x4000,
  kReqIgnoreCache = 0x8000,
  kReqSkipRwLocks = 0x10000,
  kReqIgnoreOverlay = 0x20000,
  kReqEnforceSnapc = 0x100000,
  kReqKnownRedir = 0x400000,
  kReqFullTry = 0x800000,
  kReqFullForce = 0x1000000,
  kReqReturnVec = 0x4000000,
};

struct MOsdOp {
  static constexpr uint16_t kType = 42, kVersion = 8, kCompat = 3, kPriority = 63;
  /// Older layouts are sent only to servers that advertise fewer features than we do.
  static constexpr uint16_t kMinVersion = 8;
  SpgId pgid;
  uint32_t hash = 0;  ///< the object's, not reduced to a PG
  Epoch epoch = 0;    ///< the sender's osdmap
  uint32_t flags = 0;
  ReqId reqid;  ///< zero from clients: their name and the message's tid are meant
  uint32_t client_inc = 0;
  Utime mtime;
  ObjectLocator locator;
  std::string oid;
  std::vector<OsdOp> ops;
  uint64_t snapid = kSnapHead;
  uint64_t snap_seq = 0;
  std::vector<uint64_t> snaps;  ///< descending
  int32_t retry_attempt = 0;
  uint64_t features = 0;

  template <class F>
  void fields(F& f) {
    RequestOps list{ops};
    f("pgid", pgid);
    f("hash", hash);
    f("epoch", epoch);
    f("flags", flags);
    f("reqid", reqid);
    f.constant("trace", std::array<uint8_t, 24>{});
    f("client_inc", client_inc);
    f("mtime", mtime);
    f("locator", locator);
    f("oid", oid);
    f("ops", list);
    f("snapid", snapid);
    f("snap_seq", snap_seq);
    f("snaps", snaps);
    f("retry_attempt", retry_attempt);
    f("features", features);
  }
  bool operator==(const MOsdOp&) const = default;

  Bytes join_data() const { return join_payloads(ops, &OsdOp::indata); }
  Result<> split_data(const Bytes& data) { return split_payloads(ops, &OsdOp::indata, data); }

  bool has_flag(RequestFlag flag) const { return flags & flag; }
  bool is_write() const { return flags & kReqWrite; }
};

struct MOsdOpReply {
  static constexpr uint16_t kType = 43, kVersion = 8, kCompat = 2;
  std::string oid;
  PgId pgid;
  uint64_t flags = 0;
  int32_t result = 0;
  Eversion bad_replay_version;  ///< (user_version, replay_version's epoch)
  Epoch epoch = 0;
  std::vector<OsdOp> ops;
  int32_t retry_attempt = -1;  ///< the request's; -1 fits any
  Eversion replay_version;     ///< of the write in the PG log; zero for reads
  uint64_t user_version = 0;   ///< of the object after it
  bool do_redirect = false;    ///< to another pool (cache tiers), where we never send one

  template <class F>
  void fields(F& f) {
    ReplyOps list{ops};
    ReplyResults results{ops};
    f("oid", oid);
    f("pgid", pgid);
    f("flags", flags);
    f("result", result);
    f("bad_replay_version", bad_replay_version);
    f("epoch", epoch);
    f("ops", list);
    f("retry_attempt", retry_attempt);
    f("rvals", results);
    f("replay_version", replay_version);
    f("user_version", user_version);
    f("do_redirect", do_redirect, 6);
    // What follows a redirect is not decoded: the receiver treats such a reply as a failure.
    if (!do_redirect) f.constant("trace", std::array<uint8_t, 24>{}, 8);
  }
  bool operator==(const MOsdOpReply&) const = default;

  Bytes join_data() const { return join_payloads(ops, &OsdOp::outdata); }
  Result<> split_data(const Bytes& data) { return split_payloads(ops, &OsdOp::outdata, data); }
};

struct MWatchNotify {
  static constexpr uint16_t kType = 44, kVersion = 3, kCompat = 1;
  enum Op : uint8_t { kNotify = 1, kNotifyComplete = 2, kDisconnect = 3 };
  uint8_t opcode = 0;
  uint64_t cookie = 0;
  uint64_t version = 0;
  uint64_t notify_id = 0;
  Bytes payload;
  int32_t return_code = 0;
  uint64_t notifier_gid = 0;
  Bytes data;  ///< of kNotifyComplete: the watchers' replies
  template <class F>
  void fields(F& f) {
    f.constant("msg_version", uint8_t{1});
    f("opcode", opcode);
    f("cookie", cookie);
    f("version", version);
    f("notify_id", notify_id);
    f("payload", payload);
    f("return_code", return_code, 2);
    f("notifier_gid", notifier_gid, 3);
  }
  bool operator==(const MWatchNotify&) const = default;
};

struct MOsdBackoff {
  static constexpr uint16_t kType = 61, kVersion = 1, kCompat = 1;
  enum Op : uint8_t { kBlock = 1, kAckBlock = 2, kUnblock = 3 };
  SpgId pgid;
  Epoch epoch = 0;
  uint8_t op = 0;
  uint64_t id = 0;
  HObject begin;  ///< operations on [begin, end) wait
  HObject end;
  template <class F>
  void fields(F& f) {
    f("pgid", pgid);
    f("map_epoch", epoch);
    f("op", op);
    f("id", id);
    f("begin", begin);
    f("end", end);
  }
  bool operator==(const MOsdBackoff&) const = default;
};

}  // namespace plimsoll::msg
