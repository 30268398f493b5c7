// SPDX-License-Identifier: LGPL-2.1-or-later
// Objecter: sends object operations to the OSD that the map names and sees each one through to a
// reply, whatever happens to OSDs, connections and maps meanwhile. The decisions are target.h's;
// here is the bookkeeping: sessions by OSD, resends with the same tid, pauses, backoffs, budget,
// timeouts.
//
// Everything on Runtime::executor(). A completion wakes its waiter through the executor and never
// runs inside the Objecter, so a waiter may call back in.
//
// cancel_writes() and epoch barrier are the client half of the contract of a full file system: a
// cancelled write of epoch e can land no more once every OSD and client that touches the object has
// map e (design: Full handling, section 2.4).
#pragma once

#include <set>
#include <unordered_map>

#include "common/rados/map_follower.h"
#include "common/rados/mon_client.h"

namespace plimsoll::rados {

struct OpRequest {
  Aim aim;
  std::vector<msg::OsdOp> ops;
  Utime mtime;                ///< of writes; zero: now
  uint64_t snapid = kSnapHead;
  Duration timeout{0};        ///< 0: the option rados_osd_op_timeout, whose 0 is for ever
};

struct OpReply {
  int32_t result = 0;            ///< of the whole; 0 or a negative errno (PG listing: 1 at the end)
  std::vector<msg::OsdOp> ops;   ///< with each op's output and rval
  Eversion version;              ///< the PG's, of a write
  uint64_t user_version = 0;
  Epoch epoch = 0;               ///< the OSD's map
};

class Objecter {
 public:
  struct Stats {
    uint64_t sent = 0, resent = 0, completed = 0, cancelled = 0;
  };

  Objecter(Runtime& runtime, const config::Config& config, messenger::Messenger& messenger,
           MonClient& monitors);

  /// Subscribes to maps for good and starts the tick.
  void start();
  Task<void> stop();

  /// Any reply, an OSD's refusal included (OpReply::result). Errors: ETIMEDOUT, ESHUTDOWN,
  /// EBLOCKLISTED never (that is a result), ENOENT for a pool that does not exist, and what
  /// cancel_writes() was given.
  Task<Result<OpReply>> execute(OpRequest request);

  /// The newest map that the monitors have now is ours when it returns.
  Task<Result<>> wait_for_latest_map();
  Task<Result<>> wait_for_epoch(Epoch epoch, Duration timeout);
  const std::shared_ptr<const map::OSDMap>& osdmap() const { return maps_.current(); }

  /// Ends every write that respects full in `pool` (kAllPools: in all), sent or not, with `error`;
  /// of TRY and FORCE only where `all` (a blocklisted client's end). Returns the epoch at which the
  /// cancelled ones can land no more, 0 where there were none. Late replies are dropped.
  Epoch cancel_writes(Error error, PoolId pool, bool all = false);
  /// No operation is sent under a map older than `epoch`; never lowers.
  void set_epoch_barrier(Epoch epoch);
  Epoch epoch_barrier() const { return barrier_; }

  /// Called after a new map is in force and before operations are judged by it, with the pools that
  /// were full in any map of the batch.
  void set_map_hook(std::function<void(const map::OSDMap&, const std::set<PoolId>&)> hook) {
    map_hook_ = std::move(hook);
  }

  /// From the owner's dispatcher (osdmaps from the monitor come by MonClient's hook).
  bool on_message(const messenger::ConnectionRef& connection, const msg::RawMessage& message);
  bool on_reset(const messenger::ConnectionRef& connection);
  void handle_osdmap(const msg::MOSDMap& message);

  const Stats& stats() const { return stats_; }
  size_t in_flight() const { return ops_.size(); }

 private:
  using Reply = std::shared_ptr<OneShot<Result<OpReply>>>;
  struct Op {
    uint64_t tid = 0;
    OpRequest request;
    Target target;
    OsdId session = kNoOsd;   ///< where it was sent, or waits to be
    bool sent = false;
    bool checking_pool = false;
    int32_t attempts = 0;
    TimePoint sent_at;
    Reply reply;
  };
  struct Backoff {
    uint64_t id = 0;
    HObject begin, end;
  };
  struct Session {
    OsdId osd = kNoOsd;
    EntityAddr addr;
    messenger::ConnectionRef connection;
    std::set<uint64_t> ops;
    std::map<SpgId, std::map<uint64_t, Backoff>> backoffs;
    Duration reconnect_delay{0};
    Timer reconnect;
  };

  void submit(Op& op);
  void judge_op(Op& op, bool saw_full);
  bool moved_on_the_way(const Op& op, const std::vector<MapFollower::Map>& maps) const;
  void send(Op& op);
  void unsend(Op& op);
  void finish(uint64_t tid, Result<OpReply> result);
  bool backed_off(const Session& session, const Op& op) const;
  Session& session_of(OsdId osd);
  void connect(Session& session);
  void drop_moved_sessions();
  void handle_reply(const messenger::ConnectionRef& connection, const msg::RawMessage& message);
  void handle_backoff(const messenger::ConnectionRef& connection, const msg::RawMessage& message);
  void retry_session(OsdId osd);
  Task<void> check_pool_gone(uint64_t tid);
  Task<void> tick();
  msg::MOsdOp encode(const Op& op) const;

  Runtime& runtime_;
  const config::Config& config_;
  messenger::Messenger& messenger_;
  MonClient& monitors_;
  Logger log_;
  TaskGroup tasks_;
  MapFollower maps_;
  WaitQueue map_arrived_;
  Epoch barrier_ = 0;
  std::function<void(const map::OSDMap&, const std::set<PoolId>&)> map_hook_;
  std::map<uint64_t, Op> ops_;  ///< by tid, so that resends keep the order of submission
  std::map<OsdId, Session> sessions_;
  uint64_t next_tid_ = 1;
  Semaphore op_budget_;
  Semaphore byte_budget_;
  bool stopping_ = false;
  Stats stats_;
};

}  // namespace plimsoll::rados
