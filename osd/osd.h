// SPDX-License-Identifier: LGPL-2.1-or-later
// Osd: the OSD daemon. It follows the OSDMap, tells the monitor that it is there, spreads requests
// and maps over the shards that hold its PGs, and reports what they hold.
//
//   osd.cc           life, and what PGs ask of it
//   osd_dispatch.cc  messages: to the shards, maps to clients that lag
//   osd_maps.cc      epochs: into the store, to the shards; being up and down
//   osd_report.cc    statistics for the monitor, counters
//   osd_space.cc     fullness, and space lent to primaries
//   commands.cc      admin socket and `ceph tell`
//   op_commands.cc   those of them that show operations
//   tools.cc         --mkfs, --fsck, --dump
//   offline_tools.cc --export-pg, --list-export, --remove-object, --expand
//
// On the main executor; PGs live on their shards.
#pragma once

#include <atomic>
#include <set>

#include "common/daemon/daemon.h"
#include "common/messenger/auth_none.h"
#include "common/msg/mon_peer_messages.h"
#include "common/rados/mon_client.h"
#include "osd/copier.h"
#include "osd/heartbeat.h"
#include "osd/map_store.h"
#include "osd/peers.h"
#include "osd/pg/watch.h"
#include "osd/pg_shard.h"
#include "osd/space/fullness.h"
#include "osd/space/lender.h"
#include "osd/store_proxy.h"

namespace plimsoll::osd {

class Osd final : public daemon::Daemon, private PgHost, private messenger::Dispatcher {
 public:
  explicit Osd(daemon::Env& env);
  ~Osd() override;
  static std::vector<config::ProgramFlag> flags();
  /// For the documentation.
  static std::vector<command::Spec> command_specs();
  static size_t shards(const config::Config& config) { return config.osd_shards(); }

  Task<Result<bool>> run_once() override;
  Task<Result<>> start() override;
  Task<void> stop() override;

  /// For a simulation, before start(); outlives the OSD.
  void set_watch(Watch* watch) { watch_ = watch; }
  SpaceLedger ledger() const;

 private:
  /// What is known of a client's connection.
  struct Session {
    Epoch map_sent = 0;  ///< or that it has by itself
  };

  // ---- tools.cc
  Task<Result<>> mkfs();
  Task<Result<>> fsck();
  Task<Result<>> dump();
  Task<Result<>> export_one_pg();
  Result<> list_one_export();
  Task<Result<>> remove_one_object();
  Task<Result<>> expand_store();

  // ---- osd.cc
  Task<Result<>> open_store();
  Result<EntityAddr> bind();
  Task<Result<>> first_map();
  Task<void> tick_loop();
  /// Calls `fn` on every shard's executor and waits.
  Task<void> on_shards(std::function<void(PgShard&)> fn);
  void post_shards(std::function<void(PgShard&)> fn);
  PgShard& shard(PgId pg) { return *shards_[PgShard::shard_of(pg, shards_.size())]; }

  // PgHost
  OsdId whoami() const override { return whoami_; }
  Runtime& runtime() override { return env_.runtime; }
  const config::Config& config() const override { return env_.config; }
  metrics::Counters& counters() override { return env_.counters; }
  ObjectStore& store() override { return proxy_ ? static_cast<ObjectStore&>(*proxy_) : *store_; }
  CopySource& copies() override { return copier_; }
  bool failsafe() const override { return failsafe_.load(std::memory_order_relaxed); }
  bool take_room_for_copy(uint64_t bytes, bool reserve) override;
  void refuse_copy(uint64_t bytes);
  void ask_credit(uint32_t shard, OsdId from, bool reserve, bool ahead, uint64_t want) override;
  void return_credit(uint32_t shard, OsdId to, uint64_t bytes) override;
  bool store_is_direct() const override { return !proxy_; }
  void credit_spent(uint32_t shard, uint64_t bytes) override;
  void reset_credit(uint32_t shard, OsdId osd, uint64_t in_flight) override;
  bool park(uint64_t bytes) override;
  void unpark(uint64_t bytes) override;
  std::shared_ptr<void> held_slot() override;
  std::shared_ptr<void> join_slot() override;
  size_t pg_log_target() const override { return pg_log_target_.load(std::memory_order_relaxed); }
  void send_to_osd(OsdId osd, const MapRef& map, msg::RawMessage message) override;
  void ask_to_join(msg::PgHeader pg, std::vector<OsdId> home, OsdId newcomer) override;
  void pg_state_changed() override;
  void cluster_error(std::string text) override;
  void fatal(const Error& error) override;
  Watch* watch() override { return watch_; }

  // ---- osd_dispatch.cc
  void on_message(const messenger::ConnectionRef& from, msg::RawMessage raw) override;
  void on_open(const messenger::ConnectionRef& connection) override;
  void on_reset(const messenger::ConnectionRef& connection) override;
  void on_client_op(const messenger::ConnectionRef& from, msg::RawMessage raw);
  void on_backoff_ack(const messenger::ConnectionRef& from, msg::RawMessage raw);
  void to_shard(PgId pg, const messenger::ConnectionRef& from, msg::RawMessage raw);
  bool on_mon_message(const msg::RawMessage& raw);
  Task<void> answer_tell(messenger::ConnectionRef from, msg::MCommand m, uint64_t tid);
  void push_map(const messenger::ConnectionRef& to, Session& session);
  void push_maps();

  // ---- osd_maps.cc
  void on_osdmap(const msg::MOSDMap& m);
  void take_map(const MapRef& map);
  Task<void> store_maps(Transaction txn);
  void mon_session();
  void send_boot();
  void watch_neighbors(const map::OSDMap& map);
  /// By a map, though it lives.
  void called_down(Epoch epoch);
  void report_unreachable(OsdId osd, const EntityAddr& addr, bool refused, Duration silent);
  /// What `osd metadata` shows.
  std::map<std::string, std::string> metadata();
  bool map_says_up(const map::OSDMap& map) const;
  Task<void> say_goodbye();

  // ---- osd_space.cc
  /// A request for a loan that waits for unspent ones to come back.
  struct Applicant {
    SpaceLender::Borrower who;
    bool reserve;
    uint64_t want;
    messenger::ConnectionRef from;  ///< null: one of our own shards
    TimePoint until;
  };
  /// Ends a loan when the message that spends it has been dealt with.
  struct LoanEnd;
  std::shared_ptr<void> loan_end(SpaceLender::Borrower who, uint64_t bytes);
  /// What keys and values of an OSD of `size` bytes may take on the host.
  uint64_t kv_budget(uint64_t size) const;
  uint64_t ballast_size() const;
  Fullness::Space space() const;
  Task<void> look_at_host();
  void set_ratios(const map::OSDMap& map);
  void check_space();
  Task<void> space_loop();
  uint64_t try_to_lend(const Applicant& a);
  void lend(Applicant a, bool ahead);
  void answer(const Applicant& a, uint64_t granted);
  void serve_applicants();
  void end_loan(SpaceLender::Borrower who, uint64_t bytes);
  void recall_loans();
  bool on_credit_message(const messenger::ConnectionRef& from, const msg::RawMessage& raw);
  void report_fullness();
  void send_to_up_osd(OsdId osd, msg::RawMessage message);
  Task<command::CommandReply> cmd_inject_full(const command::Args& args);
  Task<command::CommandReply> cmd_dump_fullness(const command::Args& args);

  // ---- osd_report.cc
  void note_quotas(const map::OSDMap& map);
  Task<void> report_loop();
  /// The report's number.
  Task<uint64_t> report(bool all);
  map::OsdStat osd_stat();
  /// As the store has it now.
  std::map<PgId, map::PgAllocated> pg_allocated() const;

  // ---- commands.cc
  using Reply = Task<command::CommandReply>;
  static std::span<const command::Row<Osd>> command_rows();
  Reply cmd_status(const command::Args& args);
  Reply cmd_pgs(const command::Args& args);
  Reply cmd_query(const command::Args& args);
  Reply cmd_dump_pg_allocated(const command::Args& args);
  Reply cmd_pools(const command::Args& args);
  Reply cmd_blocklist(const command::Args& args);
  Reply cmd_newest_map(const command::Args& args);
  Reply cmd_flush_stats(const command::Args& args);
  Reply cmd_compact(const command::Args& args);

  // ---- op_commands.cc
  /// Of all shards, the oldest first.
  Task<std::vector<OpDump>> gather_ops(
      const command::Args& args,
      std::function<std::vector<OpDump>(OpTracker&, const OpFilter&)> list);
  Task<std::vector<OpDump>> slowest_ops(const command::Args& args);
  boost::json::object history(std::vector<OpDump> ops);
  Reply cmd_ops(const command::Args& args);
  Reply cmd_blocked_ops(const command::Args& args);
  Reply cmd_history(const command::Args& args);
  Reply cmd_history_by_duration(const command::Args& args);
  Reply cmd_slow_ops(const command::Args& args);

  daemon::Env& env_;
  Watch* watch_ = nullptr;
  OsdId whoami_ = kNoOsd;
  Logger log_;
  TaskGroup tasks_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<StoreProxy> proxy_;  ///< only with several shards
  MapStore maps_;
  messenger::AuthNone auth_;
  std::unique_ptr<messenger::Messenger> messenger_;
  std::unique_ptr<rados::MonClient> mon_;
  Copier copier_;
  std::unique_ptr<Peers> peers_;
  std::vector<std::unique_ptr<PgShard>> shards_;
  std::set<messenger::ConnectionRef, messenger::ConnectionOrder> clients_;

  bool was_up_ = false;  ///< shards have seen a map that says so
  bool up_ = false;      ///< in the newest map
  FlappingGuard flapping_;
  bool stopping_ = false;
  Event have_map_;
  WaitQueue new_map_;
  std::string map_error_;  ///< why the monitor's maps cannot be ours
  Timer boot_retry_;
  std::shared_ptr<OneShot<Result<Epoch>>> goodbye_;

  SpaceLender lender_;
  Fullness fullness_;
  map::FullRatios ratios_;
  std::deque<Applicant> applicants_;
  std::atomic<bool> failsafe_{false};
  std::atomic<int64_t> copy_room_{0};      ///< below the failsafe line, as last looked at
  std::atomic<int64_t> copy_reserve_{0};   ///< of that, above the full line
  std::atomic<uint64_t> copies_taken_{0};  ///< since then
  std::atomic<uint64_t> parked_bytes_{0};
  std::atomic<uint64_t> excepted_{0};  ///< SpaceLedger's
  TimePoint recalled_at_{};
  TimePoint fullness_sent_at_{};
  std::string reason_sent_;
  TimePoint looked_at_host_{};
  std::atomic<uint64_t> held_{0};    ///< requests that wait for their PGs
  std::atomic<uint64_t> joins_{0};   ///< PGs that bring an OSD up to date
  std::atomic<size_t> pg_log_target_{250};
  uint64_t cluster_lines_ = 0;  ///< sent to the cluster log
  std::atomic<bool> state_report_wanted_{false};
  Event report_now_;
  bool report_all_ = true;
  bool quotas_ = false;  ///< some pool has one
  uint64_t stat_seq_ = 0;
};

}  // namespace plimsoll::osd
