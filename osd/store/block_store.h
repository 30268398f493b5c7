// SPDX-License-Identifier: LGPL-2.1-or-later
// BlockStore: the ObjectStore of real OSDs. Object bytes lie in a block file, everything else in a
// key-value store (format.h). A transaction passes three stations, in order:
//
//   commit()       decides about space and queues it.
//   prepare_loop   turns it into block writes and one key-value batch. Writes above kDeferMax go to
//                  new blocks right away; smaller ones into the journal (deferred.h). The onodes in
//                  the cache are changed here, before anything is durable.
//   commit_loop    takes all that are ready or near and whose block writes have ended: one sync of
//                  the block file if any of them wrote to it, then one record of the journal, then
//                  the answers.
//
// flush_loop brings the key-value store and the block file up to the journal behind that, and frees
// the journal. What is durable but not settled there yet is known from the cache and the maps here;
// who reads the key-value store past those calls settle() first. Blocks that a transaction frees
// can be allocated again when it is durable and no deferred write names them. After an error of the
// disk nothing is acknowledged any more. The queue is bounded by the callers, who await their
// commits.
#pragma once

#include <deque>
#include <list>
#include <set>

#include "common/log/log.h"
#include "common/rt/task_group.h"
#include "osd/store/deferred.h"
#include "osd/store/key_sizes.h"
#include "osd/store/object_store.h"
#include "osd/store/onode_cache.h"
#include "osd/store/store_files.h"

namespace plimsoll::osd {

struct BlockStoreOptions {
  std::string path;
  StoreOwner owner;
  KvOptions kv;
  std::optional<uint64_t> ballast;  ///< what it should be; nullopt: what is there
  size_t onode_cache_bytes = 16_MiB;
  uint64_t deferred_max = 32_MiB;    ///< transactions wait above it
  uint64_t deferred_flush = 4_MiB;   ///< flushed at once from here on
  uint64_t unsettled_max = 8_MiB;    ///< key-value batches; commits wait above it
  uint64_t unsettled_flush = 2_MiB;
  Duration flush_delay = 250ms;      ///< both are flushed after this at the latest
  uint64_t writes_max = 32_MiB;      ///< under way to the block file
  /// For tools where the host may be full: commits, which must write no data, go to the journal and
  /// stay there, and neither block file nor key-value store are touched. The next mount does that.
  bool journal_only = false;
  // For tests that must notice them.
  bool fault_no_block_sync = false;
  bool fault_no_journal_sync = false;
  bool fault_no_kv_sync = false;
  bool fault_keys_before_data = false;
};

class BlockStore final : public ObjectStore {
 public:
  /// Writes up to this size are deferred.
  static constexpr uint64_t kDeferMax = 32_KiB;

  BlockStore(Runtime& rt, BlockStoreOptions options);
  ~BlockStore() override;

  Task<Result<>> mount() override;
  Task<void> umount() override;
  [[nodiscard]] Task<Result<>> commit(Transaction txn) override;

  Task<Result<ObjectStat>> stat(PgId pg, HObject object) override;
  Task<Result<Bytes>> read(PgId pg, HObject object, uint64_t offset, uint64_t length) override;
  Task<Result<std::vector<Extent>>> extents(PgId pg, HObject object, uint64_t offset,
                                            uint64_t length) override;
  Task<Result<Bytes>> get_attr(PgId pg, HObject object, std::string name) override;
  Task<Result<std::map<std::string, Bytes>>> get_attrs(PgId pg, HObject object) override;
  Task<Result<Bytes>> omap_header(PgId pg, HObject object) override;
  Task<Result<OmapPage>> omap_page(PgId pg, HObject object, std::optional<std::string> start_after,
                                   std::string prefix, uint64_t max_entries,
                                   uint64_t max_bytes) override;
  Task<Result<std::map<std::string, Bytes>>> omap_get(PgId pg, HObject object,
                                                      std::set<std::string> keys) override;
  Task<Result<std::vector<PgId>>> list_collections() override;
  Task<Result<std::vector<HObject>>> list(PgId pg, HObject from, HObject to, size_t max) override;
  Task<Result<std::optional<Bytes>>> meta_get(PgId pg, std::string key) override;
  Task<Result<std::vector<std::pair<std::string, Bytes>>>> meta_scan(PgId pg, std::string from,
                                                                     std::string to,
                                                                     size_t max) override;
  Task<Result<std::optional<Bytes>>> store_get(std::string key) override;
  StoreStatfs statfs() const override;
  std::map<PgId, StoreStatfs> collection_statfs() const override;
  HostSpace host() const override;
  Task<void> look_at_host(uint64_t spare) override;
  Task<Result<>> compact() override { return files_.kv->compact(); }

  /// Live key-value bytes and the rest, as prepared so far.
  const Counters& counters() const { return counters_; }
  /// Brings the key-value store and the block file up to all that is durable now.
  Task<Result<>> flush();

 private:
  using Sizes = std::map<std::string, uint64_t>;
  /// An onode that a transaction changes, and what the counters say of it until then.
  struct Change {
    OnodeRef onode;
    PgId pg;
    Usage before;
  };
  struct Txn : std::enable_shared_from_this<Txn> {
    uint64_t id = 0;
    Transaction ops;
    uint64_t reserved_blocks = 0;
    OneShot<Result<>> answer;
    // By prepare():
    KvBatch batch;
    std::vector<Change> changes;
    /// Behind it, of the collections whose usage it changes; nullopt where it removes one.
    std::map<PgId, std::optional<Usage>> usage;
    std::vector<BlockRun> allocated;
    std::vector<BlockRun> freed;
    std::vector<std::string> omap_keys;  ///< of unsettled_omap_
    std::vector<DeferredBlock> blocks;   ///< deferred writes
    Counters counters;                   ///< behind it
    uint32_t writes_left = 0;
    bool wrote_blocks = false;
  };
  using TxnRef = std::shared_ptr<Txn>;
  /// The operation before, and what it found: most transactions do several things to one object.
  struct Latest {
    const TxnOp* op = nullptr;
    OnodeRef onode;
  };
  /// Transactions that are durable, and what the key-value store has yet to learn of them.
  struct Unsettled {
    uint64_t record;  ///< of the journal
    KvBatch batch;
    std::vector<TxnRef> group;
  };

  // ---- block_store.cc: life, and the first station ----
  Task<Result<>> load();
  Task<Result<>> load_free_map();
  Task<Result<>> load_collections();
  Task<Result<>> load_sizes(char space);
  /// For a store whose collections have no usage yet.
  Task<Result<>> count_collections();
  /// From now on every commit returns `e`, those under way first.
  void fail_all(Error e);
  static Task<Result<>> answered(TxnRef t);
  static Task<Result<>> refused(Error e);
  Task<void> prepare_loop();

  // ---- prepare.cc: a transaction becomes block writes and a batch ----
  Task<Result<>> prepare(TxnRef t);
  Task<Result<>> apply(Txn& t, const TxnOp& op, Latest& latest);
  Task<Result<>> apply_to_object(Txn& t, const OnodeRef& ref, const TxnOp& op);
  Task<Result<>> apply_to_onode(Txn& t, Onode& o, const TxnOp& op);
  /// Waits until all transactions before `t` are durable.
  Task<void> all_before(const Txn& t);
  void create_collection(Txn& t, PgId pg);
  Task<Result<>> remove_collection(Txn& t, PgId pg);
  /// PG and OSD keys; the latter are of no PG.
  void put_small(Txn& t, std::optional<PgId> pg, std::string k, const Bytes& value);
  void erase_small(Txn& t, std::optional<PgId> pg, const std::string& k);
  void erase_small_range(Txn& t, PgId pg, const std::string& from, const std::string& to);
  /// Notes that `t` changes it, and what it was before.
  void change(Txn& t, PgId pg, const OnodeRef& o);
  /// All changes of the counters go through here.
  void account(Txn& t, std::optional<PgId> pg, const Usage& more);
  void seal_onodes(Txn& t);
  void seal_usage(Txn& t);

  Task<Result<>> write(Txn& t, Onode& o, uint64_t offset, Bytes data);
  std::vector<BlockRun> allocate(Txn& t, uint64_t count);
  Task<Result<>> write_direct(Txn& t, Onode& o, uint64_t offset, Bytes data);
  Task<Result<>> write_deferred(Txn& t, Onode& o, uint64_t offset, Bytes data);
  Task<Result<>> zero(Txn& t, Onode& o, uint64_t offset, uint64_t length);
  Task<Result<>> truncate(Txn& t, Onode& o, uint64_t size);
  /// Zeros bytes [from, to) of one block, where it is mapped.
  Task<Result<>> zero_in_block(Onode& o, uint64_t from, uint64_t to);
  /// One block as transactions so far left it; zeros for a hole.
  Task<Result<Bytes>> block_content(const Onode& o, uint64_t logical);
  void stage(const Onode& o, uint64_t logical, uint64_t physical, Buffer content);
  void start_write(Txn& t, BlockRun run, std::vector<Bytes> pieces);
  Task<void> run_write(TxnRef t, std::list<BlockRun>::iterator place, std::vector<Bytes> pieces);

  Task<Result<>> omap_set(Txn& t, Onode& o, const TxnOp& op);
  Task<Result<>> omap_remove(Txn& t, Onode& o, const TxnOp& op);
  Task<Result<>> omap_remove_range(Txn& t, Onode& o, std::string from, std::string to);
  Task<Result<>> omap_set_header(Txn& t, Onode& o, Bytes header);
  Task<Result<>> omap_clear(Txn& t, Onode& o);
  void omap_put(Txn& t, Onode& o, std::string k, const Bytes& value, uint64_t old_bytes);
  void omap_erased(Txn& t, Onode& o, std::string k, uint64_t old_bytes);
  /// Key and value bytes of an omap key as transactions so far left it; 0 where absent.
  Task<Result<uint64_t>> omap_bytes(std::string k);
  /// All keys in [from, to) with their bytes, likewise.
  Task<Result<Sizes>> omap_sizes(std::string from, std::string to);

  // ---- commit.cc: the journal, and what lies behind it ----
  Task<void> commit_loop();
  Task<void> wait_for_company();
  std::vector<TxnRef> take_group();
  Task<Result<>> commit_group(std::vector<TxnRef>& group);
  /// What the group changes, in one.
  CommitRecord gather(const std::vector<TxnRef>& group);
  Task<Result<>> commit_to_journal(CommitRecord& record);
  /// For what the journal cannot hold: the key-value store alone makes it durable.
  Task<Result<>> commit_large(CommitRecord& record);
  Task<Result<>> forget_large();
  /// It is durable.
  void finish(Txn& t);
  /// The key-value store has it.
  void settled(Txn& t);
  /// The key-value store has all that was durable at the call.
  Task<Result<>> settle();
  /// flush(), and then the journal is free of what was durable at the call.
  Task<Result<>> trim();
  Task<void> flush_loop();
  bool flush_is_urgent() const;
  void release(BlockRun run);
  void release_held();

  // ---- read.cc ----
  /// From the cache or the key-value store; also for absent objects.
  Task<Result<OnodeRef>> find(PgId pg, const HObject& object);
  Task<Result<OnodeRef>> load_onode(PgId pg, std::string k);
  Task<Result<OnodeRef>> find_existing(PgId pg, const HObject& object);
  /// The bytes of a mapped run, newest first looked for in deferred writes, then in the block file.
  Task<Result<>> read_run(const MappedRun& run, const HObject& object, std::span<uint8_t> into);

  Runtime& rt_;
  const BlockStoreOptions options_;
  Logger log_;
  StoreFiles files_;
  TaskGroup tasks_;

  // Space. counters_ and allocator_ are as prepared; the free map as committed.
  std::optional<Allocator> allocator_;
  std::optional<FreeMap> free_map_;
  std::vector<BlockRun> held_;    ///< freed for good, but named by deferred writes
  uint64_t reserved_blocks_ = 0;  ///< worst case of queued transactions
  Counters counters_;

  // What is known of the key-value store without reading it.
  std::set<PgId> collections_;
  std::map<PgId, Usage> usage_;       ///< as prepared; also of one that is being removed
  std::set<PgId> uncounted_;          ///< collections whose usage is not stored yet
  std::map<PgId, uint64_t> removed_;  ///< collections whose removal is not settled, and by whom
  uint64_t removals_ = 0;
  std::map<std::optional<PgId>, KeySizes> sizes_;  ///< of PG keys and, under nullopt, of OSD keys
  struct UnsettledOmap {
    uint64_t transaction = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, UnsettledOmap> unsettled_omap_;
  OnodeCache cache_;
  /// Onodes being loaded. Shared with the tasks that load: in a simulated kill these go last.
  using Loading = std::map<std::string, std::shared_ptr<Event>>;
  std::shared_ptr<Loading> loading_ = std::make_shared<Loading>();

  // The stations.
  std::deque<TxnRef> queue_;
  std::deque<TxnRef> ready_;
  uint64_t last_transaction_ = 0;
  uint64_t last_durable_ = 0;
  uint64_t under_way_ = 0;  ///< queued, ready or committing
  size_t last_group_ = 0;   ///< transactions
  WaitQueue prepare_wake_, commit_wake_, flush_wake_, idle_;
  DeferredWrites deferred_;
  std::deque<Unsettled> unsettled_;
  uint64_t unsettled_bytes_ = 0;
  uint64_t settled_ = 0;     ///< record of the journal
  bool want_room_ = false;   ///< in the journal
  bool flush_now_ = false;
  std::shared_ptr<AsyncMutex> one_flush_ = std::make_shared<AsyncMutex>();  ///< as loading_
  std::shared_ptr<AsyncMutex> one_settle_ = std::make_shared<AsyncMutex>();
  std::list<BlockRun> writing_;  ///< block writes under way
  uint64_t writing_bytes_ = 0;
  std::optional<Error> failed_;
  bool mounted_ = false;
  uint64_t host_free_ = UINT64_MAX;
};

}  // namespace plimsoll::osd
