// SPDX-License-Identifier: LGPL-2.1-or-later
// Pg: one placement group on one OSD, as primary or replica. Lives on its shard's executor and
// shares nothing with other PGs.
//
//   pg.cc              life: load, maps and intervals, what is stored, statistics
//   pg_client.cc       requests: admission, per-object order, execution, answers
//   pg_space.cc        writes that grow: credit for them, waiting for space, full pools
//   pg_replication.cc  writes in the order of versions: local commit, replicas, acknowledgement
//   pg_peering.cc      carries out what the Peering machine decides, and answers primaries
//   pg_transfer.cc     whole objects between members
//   pg_heal.cc         an object that cannot be read here comes from elsewhere
//   pg_join.cc         an OSD becomes a member while the PG serves
//   pg_query.cc        `pg query`
//
// Invariants: versions are assigned, committed and sent to every acting member in one order; a
// client is answered when all of them have committed; log entries are committed with their data.
// What was begun in an interval ends with it: every task compares generation_ after each wait.
#pragma once

#include <boost/json/object.hpp>
#include <deque>
#include <unordered_map>

#include "common/log/log.h"
#include "common/map/pg_stats.h"
#include "common/msg/osd_peer_messages.h"
#include "common/rt/task_group.h"
#include "osd/pg/busy_poll.h"
#include "osd/pg/joining.h"
#include "osd/pg/op_tracker.h"
#include "osd/pg/peering.h"
#include "osd/pg/pg_host.h"
#include "osd/pg/pg_log.h"
#include "osd/space/credit_pool.h"

namespace plimsoll::osd {

class Pg {
 public:
  /// `credits` and `busy_poll` are those of `shard`, which the PG lives on.
  Pg(PgHost& host, CreditPool& credits, BusyPoll& busy_poll, uint32_t shard, PgId id,
     Executor executor);

  /// Reads info, log and missing objects of a PG that the store holds.
  Task<Result<>> load();
  /// A new PG: ordered into the store before anything else of it.
  void create(Epoch created);
  /// Cancels everything and waits.
  Task<void> stop();

  void on_map(const MapRef& map);
  void on_client_op(ClientOpRef op);
  /// The client holds its requests back from here on.
  void on_backoff_ack(const messenger::ConnectionRef& client, uint64_t id);
  /// A message of osd_peer_messages.h; its epoch is not beyond our map.
  void on_peer_message(const messenger::ConnectionRef& from, const msg::RawMessage& raw);
  void on_peer_reset(OsdId osd);
  /// Bytes of credit in writes that `osd` has not acknowledged.
  uint64_t in_flight_credit(OsdId osd) const;
  /// Its connection broke: nothing waits for it any more, should it be a newcomer.
  void forget_newcomer(OsdId osd);
  /// Every second or so.
  void tick();
  /// As primary, where the map wants an OSD that lacks something: it may be its turn.
  void start_joining();
  int join_priority() const { return osd::join_priority(peering_.interval(), *map_); }
  /// There may be space for what waits for it.
  void retry_parked();
  bool has_parked() const { return !parked_.empty(); }

  PgId id() const { return id_; }
  bool is_primary() const { return peering_.interval().primary == host_.whoami(); }
  bool is_member() const { return peering_.interval().has(host_.whoami()); }
  /// The map wants us in the PG, and we do not have all of it yet.
  bool is_newcomer() const;
  /// Neither: this copy is what is left of earlier times.
  bool is_stray() const;
  map::PgStat stat();
  /// Something to report happened since the last call.
  bool take_changed() { return std::exchange(changed_, false); }
  boost::json::object query();
  /// "pg", what peering does and did: an element of dump_pgstate_history.
  boost::json::object dump_states() const;

 private:
  // ---- objects under way
  struct ObjectContext {
    HObject object;
    bool known = false;  ///< state is the object's
    ObjectState state;
    uint32_t readers = 0;
    bool writer = false;
    std::optional<Eversion> damaged;  ///< at this version; healed before anything else
    std::deque<ClientOpRef> waiting;
    bool idle() const { return !readers && !writer && !damaged && waiting.empty(); }
  };
  using ObjectRef = std::shared_ptr<ObjectContext>;
  struct ObjectHash {
    size_t operator()(const HObject& o) const { return o.hash * 0x9e3779b97f4a7c15 >> 16; }
  };
  struct ObjectSame {
    bool operator()(const HObject& a, const HObject& b) const {
      return a.hash == b.hash && a.oid == b.oid && a.nspace == b.nspace && a.key == b.key &&
             a.snap == b.snap;
    }
  };
  /// A write that not all members have committed.
  struct InFlight {
    Eversion version;
    ClientOpRef op;
    ObjectRef object;
    std::vector<OsdId> waiting_for;
    msg::RawMessage message;  ///< for members whose connection breaks
    uint64_t user_version = 0;
    uint64_t charge = 0;  ///< credit that it spends on each member
    BusyPoll::Write under_way;
  };
  /// An object whose bytes come from elsewhere.
  struct Healing {
    Eversion version;
    msg::TransferCursor at;
    std::vector<OsdId> sources;  ///< the last is asked
    bool applying = false;
    int ticks = 0;  ///< for how long it has not answered
    std::vector<std::function<void(bool healed)>> then;
  };
  /// An object that is not written until the newcomer has it.
  struct Held {
    ObjectRef object;
    TimePoint since;
  };
  /// A write that waits for space, before it has a version.
  struct Parked {
    ClientOpRef op;
    uint64_t charge = 0;
    bool reserve = false;
    bool counted = false;  ///< against the budget for such, no more against the receive throttle
  };

  // ---- pg.cc
  Task<Result<>> load_log();
  Task<Result<>> load_dups();
  Task<Result<>> load_missing();
  void start_interval(Interval next);
  Epoch primary_since(const Interval& next) const;
  Task<void> begin_peering(uint64_t generation);
  void save_info(Transaction& txn);
  void add_log_entry(Transaction& txn, const LogEntry& entry, Bytes encoded);
  void trim_log(Transaction& txn, Eversion to);
  /// Commits on behalf of the PG; a failure is fatal. False where the PG moved on meanwhile.
  Task<bool> commit(Transaction txn, uint64_t generation, uint64_t charge = 0);
  Task<void> drained();
  void report();
  void note_state();
  uint64_t pg_state() const;
  uint64_t joining_state() const;
  PgInfo info_now() const;
  /// There are as many members as there should be, and all that the map wants are.
  bool all_in() const;
  void count_absent_copies(map::ObjectStats& stats) const;
  void count_recovered(const msg::MOsdPgPush& piece);

  // ---- pg_query.cc
  std::string state_path(PeeringState state) const;
  boost::json::object dump_info(const PgInfo& info, const Missing& missing) const;
  boost::json::object dump_history(const PgInfo& info) const;
  boost::json::array dump_peers() const;
  boost::json::object dump_recovery() const;

  // ---- pg_client.cc
  void admit(ClientOpRef op);
  void hold(ClientOpRef op);
  uint64_t backoff_id() const;
  void send_backoff(const messenger::ConnectionRef& to, uint8_t what);
  /// Makes the client hold back its requests to this PG, and send all that are unanswered again
  /// when it is released.
  void back_off(const messenger::ConnectionRef& client);
  void release_backoffs();
  int32_t refuse(const ClientOp& op) const;
  void enqueue(ClientOpRef op);
  ObjectRef context(const HObject& object);
  void run_waiting(const ObjectRef& object);
  void start_op(ClientOpRef op, const ObjectRef& object);
  void release(const ObjectRef& object, bool writer);
  Task<void> run_op(ClientOpRef op, ObjectRef object, uint64_t generation);
  Task<void> run_listing(ClientOpRef op, uint64_t generation);
  Task<bool> load_object(ObjectRef object);
  bool answer_duplicate(ClientOp& op);
  void reply(ClientOp& op, int32_t result, Eversion version, uint64_t user_version);
  void reply_read(ClientOp& op, int32_t result, uint64_t user_version);
  void count(const ClientOp& op, uint64_t out_bytes);
  OpLimits limits() const;

  // ---- pg_space.cc
  Task<bool> take_space(ClientOpRef op, ObjectRef object, OpContext& c, uint64_t generation);
  Task<bool> fills_holes(const OpContext& c);
  bool outdated(const ClientOp& op) const;
  bool discard_outdated(const ClientOp& op);
  void recall_dropped();
  const Parked* waits_behind(const ClientOp& op) const;
  void refuse_space(ClientOpRef op, uint64_t charge, bool reserve, int32_t error);
  void park(Parked parked);
  Credit probe(const Parked& parked);
  void count_parked(const Parked& parked, bool now);
  void drop_parked(const std::function<bool(const Parked&)>& which);
  void watch_full_flag(const map::OSDMap* before);
  bool pool_full() const;

  // ---- pg_replication.cc
  Task<void> submit(ClientOpRef op, ObjectRef object, OpContext& c, uint64_t generation);
  LogEntry make_entry(const ClientOp& op, OpContext& c);
  void committed_by(OsdId osd, Eversion version);
  void complete(InFlight& write);
  /// Those that nobody has to acknowledge any more.
  void complete_writes();
  void on_rep_op(const messenger::ConnectionRef& from, const msg::RawMessage& raw);
  Task<void> apply_rep_op(Transaction txn, Eversion version, uint64_t generation);
  void on_rep_reply(OsdId from, const msg::MOsdRepOpReply& m);
  void acknowledge();

  // ---- pg_peering.cc
  void act(PeeringActions actions);
  void send(OsdId osd, msg::RawMessage message) {
    host_.send_to_osd(osd, map_, std::move(message));
  }
  msg::PgHeader header() const { return {id_, peering_.interval().since, map_->epoch}; }
  /// The header of an answer repeats the primary's interval.
  msg::PgHeader answer_to(const msg::PgHeader& asked) const {
    return {id_, asked.interval, map_->epoch};
  }
  void serve();
  Task<void> send_info(messenger::ConnectionRef to, msg::PgHeader asked, uint8_t answers,
                       uint64_t generation);
  void on_get_log(const messenger::ConnectionRef& from, const msg::MOsdPgGetLog& m);
  void on_info(OsdId from, const msg::MOsdPgInfo& m);
  static msg::RawMessage log_message(msg::PgHeader pg, const PgLog::Part& part);
  Task<void> merge_log(messenger::ConnectionRef from, msg::MOsdPgLog m, uint64_t generation);
  Result<Transaction> merge_into_log(const msg::MOsdPgLog& m);
  Task<void> activate_self(uint64_t generation);
  Task<void> activate_replica(messenger::ConnectionRef from, msg::PgHeader asked,
                              uint64_t generation);

  // ---- pg_join.cc: the primary's side
  void stop_joining();
  void joining_tick();
  bool may_join(OsdId osd) const;
  OsdId next_newcomer() const;
  bool others_first() const;
  bool scan_paused() const;
  bool asked_to_let_in() const;
  bool too_full(OsdId osd, bool scans) const;
  size_t copy_window(bool scans);
  void act(JoinActions actions);
  void on_newcomer_info(const msg::MOsdPgInfo& m);
  Task<void> list_for_newcomer(HObject behind, uint64_t generation);
  Task<Result<Missing>> list_versions(HObject behind, HObject& up_to, bool& last);
  void push_to_newcomer(msg::MOsdPgPull asked, bool hold);
  Task<void> read_for_newcomer(msg::MOsdPgPull asked, ObjectRef object, uint64_t generation);
  void not_pushed(const HObject& object, bool busy);
  void end_hold(const HObject& object);
  void end_holds_older_than(Duration patience);
  /// Who gets a write: the members, and who is about to be one.
  std::vector<OsdId> writers() const;
  void answer_stray(OsdId stray, const msg::PgHeader& asked);
  // the newcomer's side
  void follow(const messenger::ConnectionRef& from, msg::MOsdPgLog m);
  Task<void> merge_as_newcomer(messenger::ConnectionRef from, msg::MOsdPgLog m,
                               uint64_t generation);
  Task<void> reset_copy(messenger::ConnectionRef from, msg::PgHeader asked, uint64_t generation);
  void expect_objects(const messenger::ConnectionRef& from, const msg::MOsdPgObjects& m);
  Task<void> note_page(messenger::ConnectionRef from, Transaction txn, msg::PgHeader asked,
                       bool last, uint64_t generation);
  bool only_noted(const HObject& object) const;
  Transaction note(const LogEntry& entry);

  // ---- pg_transfer.cc
  Task<void> send_piece(messenger::ConnectionRef to, OsdId osd, msg::MOsdPgPull asked,
                        uint64_t generation);
  Task<Result<msg::MOsdPgPush>> read_piece(const msg::MOsdPgPull& asked);
  Task<Result<>> read_data(msg::MOsdPgPush& push);
  Task<Result<>> read_omap(msg::MOsdPgPush& push, uint64_t budget);
  void add_extents(Transaction& txn, const msg::MOsdPgPush& push);
  Task<void> apply_piece(messenger::ConnectionRef from, OsdId osd, msg::MOsdPgPush push,
                         uint64_t generation);

  // ---- pg_heal.cc
  bool may_heal(int error, const HObject& object) const;
  void heal_when_idle(const ObjectRef& object);
  void heal(const HObject& object, Eversion version, std::function<void(bool)> then);
  void ask_healer(const HObject& object);
  void healing_tick();
  Task<void> take_healing_piece(OsdId from, msg::MOsdPgPush push, uint64_t generation);
  void end_healing(const HObject& object, bool healed);

  PgHost& host_;
  CreditPool& credits_;
  BusyPoll& busy_poll_;
  const uint32_t shard_;
  const PgId id_;
  const std::string name_;
  const Executor executor_;
  Logger log_out_;
  TaskGroup tasks_;

  MapRef map_;
  PgInfo info_;
  PgLog log_;
  Missing missing_;
  Peering peering_;
  uint64_t generation_ = 0;  ///< counts intervals
  uint64_t commits_ = 0;     ///< transactions of ours in the store
  WaitQueue drained_;
  Eversion committed_;                ///< primary: by all members; replica: here
  std::optional<Epoch> replica_of_;   ///< the primary's interval that activated us
  messenger::ConnectionRef primary_;  ///< where acknowledgements go

  std::unordered_map<HObject, ObjectRef, ObjectHash, ObjectSame> objects_;
  std::deque<HObject> idle_objects_;  ///< candidates for eviction, oldest first
  std::deque<InFlight> in_flight_;
  std::deque<ClientOpRef> held_;  ///< until the PG serves
  uint64_t held_bytes_ = 0;
  std::deque<Parked> parked_;  ///< for space, in order of arrival
  bool dropped_any_ = false;   ///< for lack of room here; the map will say full
  /// Clients that were told to hold back by themselves.
  std::set<messenger::ConnectionRef, messenger::ConnectionOrder> backed_off_;
  /// Those that have not acknowledged it yet, and the backoff's id: until then they send what they
  /// will send again, after what was dropped before it.
  std::map<messenger::ConnectionRef, uint64_t, messenger::ConnectionOrder> told_;
  /// Clients that sent requests in this interval.
  std::set<messenger::ConnectionRef, messenger::ConnectionOrder> admitted_;
  std::map<HObject, msg::TransferCursor> receiving_;  ///< which piece comes next
  std::map<HObject, Healing> healing_;
  std::set<HObject> beyond_help_;    ///< damaged, and nobody else could deliver them
  Joining joining_;                  ///< primary: of one OSD at a time
  std::map<HObject, Held> held_objects_;
  std::shared_ptr<void> join_slot_;  ///< while objects may be copied
  bool join_waits_ = false;          ///< for its turn, before its copy begins anew
  OsdId last_newcomer_ = kNoOsd;     ///< others first
  int join_ticks_ = 0;         ///< for how long it has not answered
  uint64_t join_attempt_ = 0;  ///< counts them
  bool merging_ = false;       ///< newcomer: writes wait until the log is merged
  std::vector<std::pair<messenger::ConnectionRef, msg::RawMessage>> early_writes_;
  bool changed_ = true;                               ///< since the last report

  // ---- what it was, for people
  struct PastState {
    Epoch epoch;  ///< of the interval
    PeeringState state;
    Utime enter, exit;
  };
  static constexpr size_t kPastStates = 16;
  std::deque<PastState> past_states_;
  PeeringState noted_state_ = PeeringState::kStray;
  Epoch noted_interval_ = 0;
  Utime state_entered_, interval_began_;
  Epoch same_up_since_ = 0, same_primary_since_ = 0;

  // ---- statistics
  map::ObjectStats counts_;  ///< since start: num_read and its kin
  uint64_t reported_seq_ = 0;
  uint64_t last_state_ = 0;
  Utime last_change_, last_active_, last_clean_, last_peered_, last_fresh_;
  Utime became_active_, became_peered_, last_unstale_, last_undegraded_, last_fullsized_;
};

/// Bytes of space that a write may take on each member: the worst case, in whole blocks.
uint64_t space_charge(const Transaction& txn);

/// Keys of a PG in the store.
namespace pg_keys {
inline constexpr const char* kInfo = "info";
/// "log." and the version in hexadecimal: sorted by version.
std::string log_entry(Eversion v);
/// "dups." and the newest version of the batch, likewise.
std::string dups(Eversion to);
std::string missing(const HObject& object);
/// The value there.
Bytes missing_item(const HObject& object, Eversion need);
inline constexpr const char* kLogBegin = "log.";
inline constexpr const char* kLogEnd = "log/";
inline constexpr const char* kDupsBegin = "dups.";
inline constexpr const char* kDupsEnd = "dups/";
inline constexpr const char* kMissingBegin = "missing.";
inline constexpr const char* kMissingEnd = "missing/";
}  // namespace pg_keys

}  // namespace plimsoll::osd
