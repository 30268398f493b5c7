// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/pg.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>

#include "osd/pg/watch.h"

namespace plimsoll::osd {

namespace pg_keys {

std::string log_entry(Eversion v) {
  return fmt::format(FMT_COMPILE("{}{:08x}{:016x}"), kLogBegin, v.epoch, v.version);
}

std::string dups(Eversion to) {
  return fmt::format("{}{:08x}{:016x}", kDupsBegin, to.epoch, to.version);
}

std::string missing(const HObject& object) {
  return kMissingBegin + wire::to_bytes(object).to_string();
}

}  // namespace pg_keys

namespace {

constexpr size_t kScanPage = 1000;

/// A missing object in the store.
struct MissingItem {
  static constexpr wire::Envelope kEnvelope{1, 1};
  HObject object;
  Eversion need;
  template <class F>
  void fields(F& f) {
    f("object", object);
    f("need", need);
  }
};

}  // namespace

Bytes pg_keys::missing_item(const HObject& object, Eversion need) {
  return wire::to_bytes(MissingItem{object, need});
}

Pg::Pg(PgHost& host, CreditPool& credits, BusyPoll& busy_poll, uint32_t shard, PgId id,
       Executor executor)
    : host_(host),
      credits_(credits),
      busy_poll_(busy_poll),
      shard_(shard),
      id_(id),
      name_(id.to_string()),
      executor_(std::move(executor)),
      log_out_(log::Subsystem::kOsd, fmt::format("osd.{} pg {}", host.whoami(), name_)),
      tasks_(executor_),
      joining_(
          [this](const HObject& object) {
            const auto it = objects_.find(object);
            return it != objects_.end() && (it->second->writer || it->second->damaged);
          },
          [this] { return copy_window(joining_.scans()); }) {}

// ---- life ---------------------------------------------------------------------------------------

Task<Result<>> Pg::load() {
  auto raw = co_await host_.store().meta_get(id_, pg_keys::kInfo);
  if (!raw) co_return raw.error();
  if (!*raw) co_return fail(EIO, "pg " + name_ + ": its info is missing");
  auto info = wire::from_bytes<PgInfo>(**raw, "pg info");
  if (!info) co_return info.error();
  info_ = *info;
  CO_TRY_VOID(co_await load_log());
  CO_TRY_VOID(co_await load_dups());
  CO_TRY_VOID(co_await load_missing());
  log_out_.debug(5, "loaded: log ({}, {}], {} missing", log_.tail().to_string(),
                 log_.head().to_string(), missing_.size());
  co_return Result<>();
}

Task<Result<>> Pg::load_log() {
  log_.set_tail(info_.log_tail);
  std::string from = pg_keys::kLogBegin;
  for (;;) {
    auto page = co_await host_.store().meta_scan(id_, from, pg_keys::kLogEnd, kScanPage);
    if (!page) co_return page.error();
    for (auto& [key, value] : *page) {
      auto entry = wire::from_bytes<LogEntry>(value, "log entry");
      if (!entry) co_return entry.error();
      if (entry->version <= log_.head())
        co_return fail(EIO, "pg " + name_ + ": log is out of order");
      log_.append(std::move(*entry));
    }
    if (page->size() < kScanPage) co_return Result<>();
    from = page->back().first + '\0';
  }
}

Task<Result<>> Pg::load_dups() {
  std::deque<DupBatch> batches;
  std::string from = pg_keys::kDupsBegin;
  for (;;) {
    auto page = co_await host_.store().meta_scan(id_, from, pg_keys::kDupsEnd, kScanPage);
    if (!page) co_return page.error();
    for (auto& [key, value] : *page) {
      CO_TRY(batch, wire::from_bytes<DupBatch>(value, "requests of trimmed entries"));
      batches.push_back(std::move(batch));
    }
    if (page->size() < kScanPage) break;
    from = page->back().first + '\0';
  }
  log_.set_dups(std::move(batches));
  co_return Result<>();
}

Task<Result<>> Pg::load_missing() {
  std::string from = pg_keys::kMissingBegin;
  for (;;) {
    auto page = co_await host_.store().meta_scan(id_, from, pg_keys::kMissingEnd, kScanPage);
    if (!page) co_return page.error();
    for (auto& [key, value] : *page) {
      auto item = wire::from_bytes<MissingItem>(value, "missing object");
      if (!item) co_return item.error();
      missing_[item->object] = item->need;
    }
    if (page->size() < kScanPage) co_return Result<>();
    from = page->back().first + '\0';
  }
}

void Pg::create(Epoch created) {
  info_.created = created;
  Transaction txn;
  txn.create_collection(id_);
  save_info(txn);
  auto task = [](Pg* pg, Transaction t) -> Task<void> {
    co_await pg->commit(std::move(t), pg->generation_);
  };
  tasks_.spawn(task(this, std::move(txn)));
}

Task<void> Pg::stop() {
  held_.clear();
  drop_parked([](const Parked&) { return true; });
  backed_off_.clear();
  told_.clear();
  admitted_.clear();
  co_await tasks_.stop();
  join_slot_.reset();
  in_flight_.clear();
  objects_.clear();
}

// ---- what is stored -----------------------------------------------------------------------------

PgInfo Pg::info_now() const {
  PgInfo info = info_;
  info.last_update = log_.head();
  info.log_tail = log_.tail();
  info.known_from = log_.known_from();
  return info;
}

void Pg::save_info(Transaction& txn) {
  info_ = info_now();
  txn.meta_set(id_, {{pg_keys::kInfo, wire::to_bytes(info_)}});
}

void Pg::add_log_entry(Transaction& txn, const LogEntry& entry, Bytes encoded) {
  if (Watch* w = host_.watch(); w && w->forgets_log_entry()) return;
  std::map<std::string, Bytes> pair;
  pair.emplace(pg_keys::log_entry(entry.version), std::move(encoded));
  txn.meta_set(id_, std::move(pair));
}

void Pg::trim_log(Transaction& txn, Eversion to) {
  if (to <= log_.tail()) return;
  const Eversion first = log_.entries().front().version;
  if (!log_.trim(to)) return;
  txn.meta_remove_range(id_, pg_keys::log_entry(first),
                        pg_keys::log_entry(log_.entries().front().version));
  const size_t forgotten = log_.forget(host_.config().osd_pg_log_dups_tracked());
  if (!log_.dups().empty()) {
    const DupBatch& newest = log_.dups().back();
    std::map<std::string, Bytes> batch;
    batch[pg_keys::dups(newest.to)] = wire::to_bytes(newest);
    txn.meta_set(id_, std::move(batch));
  }
  if (forgotten) {
    const bool none = log_.dups().empty();
    txn.meta_remove_range(id_, pg_keys::kDupsBegin,
                          none ? pg_keys::kDupsEnd : pg_keys::dups(log_.dups().front().to));
  }
  save_info(txn);
}

/// `charge`: credit of our own OSD that this spends.
Task<bool> Pg::commit(Transaction txn, uint64_t generation, uint64_t charge) {
  commits_++;
  // The loan ends when the store has set the space aside: in the call, where it is called directly.
  Task<Result<>> committing = host_.store().commit(std::move(txn));
  const bool direct = host_.store_is_direct();
  if (charge && direct) host_.credit_spent(shard_, charge);
  auto done = co_await std::move(committing);
  if (charge && !direct) host_.credit_spent(shard_, charge);
  if (--commits_ == 0) drained_.notify_all();
  if (!done) {
    host_.fatal(done.error());
    co_return false;
  }
  co_return generation == generation_;
}

Task<void> Pg::drained() {
  while (commits_) co_await drained_.wait();
}

// ---- maps and intervals -------------------------------------------------------------------------

namespace {

Interval interval_of(const map::OSDMap& m, PgId id) {
  Interval i;
  i.since = m.epoch;
  map::PgMapping where = m.map_pg(id);
  i.primary = where.acting_primary;
  i.up_primary = where.up_primary;
  i.up = std::move(where.up);
  i.acting = std::move(where.acting);
  i.home = m.home(id);
  i.lost = m.is_lost(id);
  // Where nobody of it is up the map names OSDs that may have nothing.
  std::erase_if(i.acting, [&](OsdId osd) {
    return std::find(i.home.begin(), i.home.end(), osd) == i.home.end();
  });
  for (OsdId osd : i.home)
    if (!i.has(osd)) i.down.push_back(osd);
  for (OsdId osd : i.acting) i.up_from.push_back(m.osd_info[osd].up_from);
  for (OsdId osd : i.up) i.up_from.push_back(m.osd_info[osd].up_from);
  if (const map::PgPool* pool = m.pool(id.pool)) {
    i.size = pool->size;
    i.min_size = pool->min_size;
  }
  return i;
}

}  // namespace

void Pg::on_map(const MapRef& map) {
  const bool first = !map_;
  const MapRef before = std::exchange(map_, map);
  Interval next = interval_of(*map, id_);
  if (first || !(next == peering_.interval())) start_interval(std::move(next));
  watch_full_flag(before.get());
  if (Watch* w = host_.watch()) w->came_to(host_.whoami(), id_, *map);
  start_joining();
}

/// From when on clients that see the same primary all the time keep to the order of requests.
Epoch Pg::primary_since(const Interval& next) const {
  // Of our first map we do not know what was before; but nobody sent us anything before we booted.
  const bool known = peering_.interval().since != 0;
  if (known || next.primary != host_.whoami()) return next.since;
  return std::min(next.since, map_->osd_info[host_.whoami()].up_from);
}

void Pg::start_interval(Interval next) {
  release_backoffs();
  generation_++;
  replica_of_.reset();
  primary_.reset();
  // Requests in progress are dropped, and their clients made to send them again: a stock client
  // does so by itself only when the primary changes. What is in the log by then is recognised.
  if (is_primary() && next.primary == host_.whoami())
    for (const auto& client : admitted_) back_off(client);
  admitted_.clear();
  in_flight_.clear();
  objects_.clear();
  idle_objects_.clear();
  receiving_.clear();
  healing_.clear();
  beyond_help_.clear();
  held_objects_.clear();
  joining_.stop();
  join_slot_.reset();
  join_waits_ = false;
  merging_ = false;
  early_writes_.clear();
  drop_parked([](const Parked&) { return true; });
  dropped_any_ = false;
  if (next.primary != host_.whoami()) {
    held_.clear();
    held_bytes_ = 0;
  }
  const Interval& last = peering_.interval();
  if (next.up != last.up) same_up_since_ = next.since;
  if (next.primary != last.primary) same_primary_since_ = primary_since(next);
  interval_began_ = host_.runtime().clock().wall();
  // The machine starts when what the last interval ordered is durable; until then it holds the
  // interval and answers nothing.
  peering_ = Peering();
  peering_.start(next, kNoOsd, info_now(), missing_);
  tasks_.spawn(begin_peering(generation_));
}

Task<void> Pg::begin_peering(uint64_t generation) {
  co_await drained();
  if (generation != generation_) co_return;
  const Interval interval = peering_.interval();
  act(peering_.start(interval, host_.whoami(), info_now(), missing_));
  log_out_.debug(5, "interval since {}: {}, {}", interval.since,
                 peering_state_name(peering_.state()), peering_.why());
}

void Pg::on_peer_reset(OsdId osd) {
  if (!is_primary()) return;
  act(peering_.resend(osd));
  for (const auto& [object, h] : healing_)
    if (!h.applying && h.sources.back() == osd) ask_healer(object);
  for (const auto& write : in_flight_)
    if (std::find(write.waiting_for.begin(), write.waiting_for.end(), osd) !=
        write.waiting_for.end())
      send(osd, write.message);
}

void Pg::tick() {
  const OsdId primary = peering_.interval().primary;
  if (is_stray() && primary != kNoOsd) send(primary, msg::to_raw(msg::MOsdPgStray{header()}));
  if (!is_primary()) return;
  healing_tick();
  recall_dropped();
  if (peering_.whole()) joining_tick();
  else act(peering_.resend());
}

// ---- statistics ---------------------------------------------------------------------------------

uint64_t Pg::joining_state() const {
  const bool scans = joining_.scans() || join_waits_;
  const uint64_t waits = scans ? map::kPgBackfillWait : map::kPgRecoveryWait;
  if (join_waits_) return waits;
  switch (joining_.state()) {
    case JoinState::kNone:
      return 0;
    case JoinState::kAsk:
    case JoinState::kReset:
    case JoinState::kMerge:
      return waits;
    default:
      break;
  }
  if (joining_.lacks() && too_full(joining_.newcomer(), scans))
    return scans ? map::kPgBackfillToofull : map::kPgRecoveryToofull;
  if (joining_.lacks() && !join_slot_) return waits;
  return scans ? map::kPgBackfilling : map::kPgRecovering;
}

bool Pg::all_in() const {
  const Interval& i = peering_.interval();
  return i.acting.size() >= i.size &&
         std::all_of(i.up.begin(), i.up.end(), [&](OsdId osd) { return i.has(osd); });
}

uint64_t Pg::pg_state() const {
  using State = PeeringState;
  const Interval& i = peering_.interval();
  const bool small = i.acting.size() < i.size;
  const uint64_t lacking = small ? uint64_t{map::kPgUndersized} | map::kPgDegraded : 0;
  const uint64_t moved =
      std::set(i.up.begin(), i.up.end()) != std::set(i.acting.begin(), i.acting.end())
          ? map::kPgRemapped
          : 0;
  const uint64_t created = info_.last_epoch_started ? 0 : map::kPgCreating;
  switch (peering_.state()) {
    case State::kStray:
      if (!is_primary()) return 0;
      if (i.lost) return lacking | map::kPgIncomplete;
      return i.down.empty() ? created | lacking | moved | map::kPgPeering : lacking | map::kPgDown;
    case State::kReplica:
      return 0;
    case State::kPeered:
      return lacking | moved | map::kPgPeered | joining_state();
    case State::kGetInfo:
    case State::kGetLog:
    case State::kMergePeers:
      return created | lacking | moved | map::kPgPeering;
    case State::kIncomplete:
      return lacking | moved | map::kPgIncomplete;
    case State::kRecover:
      return lacking | moved | map::kPgPeered | map::kPgRecovering | map::kPgDegraded;
    case State::kUnfound:
      return lacking | moved | map::kPgPeered | map::kPgRecoveryUnfound | map::kPgDegraded;
    case State::kActivate:
      return created | lacking | moved | map::kPgActivating;
    case State::kActive:
      return lacking | moved | map::kPgActive | joining_state() | (all_in() ? map::kPgClean : 0);
  }
  return 0;
}

void Pg::note_state() {
  const PeeringState state = peering_.state();
  if (state == noted_state_ && !state_entered_.is_zero()) return;
  const Utime now = host_.runtime().clock().wall();
  if (!state_entered_.is_zero())
    past_states_.push_back({noted_interval_, noted_state_, state_entered_, now});
  if (past_states_.size() > kPastStates) past_states_.pop_front();
  noted_state_ = state;
  noted_interval_ = peering_.interval().since;
  state_entered_ = now;
}

void Pg::report() {
  note_state();
  bool state = false;
  const uint64_t now = pg_state();
  if (now != last_state_) {
    const Utime wall = host_.runtime().clock().wall();
    last_change_ = wall;
    if (now & map::kPgActive && !(last_state_ & map::kPgActive))
      became_active_ = became_peered_ = wall;
    last_state_ = now;
    state = true;
  }
  changed_ = true;
  if (state && is_primary()) host_.pg_state_changed();
}

/// Where members are too few a newcomer makes up for one, and its lacks are degraded copies; what
/// other newcomers lack is only not where it should be.
void Pg::count_absent_copies(map::ObjectStats& stats) const {
  const Interval& i = peering_.interval();
  const int64_t objects = stats.num_objects;
  std::vector<int64_t> lacking;
  for (const OsdId osd : i.up) {
    if (i.has(osd)) continue;
    const bool begun = osd == joining_.newcomer() && joining_.follows();
    const auto left = begun ? joining_.left(objects) : objects;
    lacking.insert(begun ? lacking.begin() : lacking.end(), left);
  }
  const size_t absent = i.acting.size() < i.size ? i.size - i.acting.size() : 0;
  lacking.resize(std::max(lacking.size(), absent), objects);
  for (size_t n = 0; n < lacking.size(); n++)
    (n < absent ? stats.num_objects_degraded : stats.num_objects_misplaced) += lacking[n];
}

map::PgStat Pg::stat() {
  const Interval& i = peering_.interval();
  const uint64_t state = pg_state();
  const Utime now = host_.runtime().clock().wall();
  const bool active = state & map::kPgActive;
  if (active) last_active_ = last_peered_ = now;
  if (state & map::kPgClean) last_clean_ = now;
  if (!(state & map::kPgDegraded)) last_undegraded_ = now;
  if (!(state & map::kPgUndersized)) last_fullsized_ = now;

  map::PgStat s;
  s.pgid = id_;
  s.version = log_.head();
  s.reported_seq = ++reported_seq_;
  s.reported_epoch = map_ ? map_->epoch : 0;
  s.state = state;
  s.last_fresh = s.last_unstale = now;
  s.last_change = last_change_;
  s.last_active = last_active_;
  s.last_peered = last_peered_;
  s.last_clean = last_clean_;
  s.last_became_active = became_active_;
  s.last_became_peered = became_peered_;
  s.last_undegraded = last_undegraded_;
  s.last_fullsized = last_fullsized_;
  s.mapping_epoch = i.since;
  s.log_start = s.ondisk_log_start = log_.tail();
  s.created = info_.created;
  s.last_epoch_clean = info_.last_epoch_clean;
  s.log_size = s.ondisk_log_size = static_cast<int64_t>(log_.size());
  s.stats = counts_;
  const PgTotals totals = log_.totals();
  s.stats.num_objects = totals.objects;
  s.stats.num_bytes = totals.bytes;
  s.stats.num_objects_omap = totals.omap_objects;
  s.stats.num_objects_dirty = totals.objects;
  s.stats.num_object_copies = totals.objects * i.size;
  count_absent_copies(s.stats);
  const auto& missing = peering_.missing();
  s.stats.num_objects_degraded += static_cast<int64_t>(peering_.missing_total());
  if (auto own = missing.find(host_.whoami()); own != missing.end())
    s.stats.num_objects_missing_on_primary = static_cast<int64_t>(own->second.size());
  s.up = i.up;
  s.acting = i.acting;
  s.up_primary = i.up_primary;
  s.acting_primary = i.primary;
  s.blocked_by = peering_.blocked_by();
  s.blocked_reason = peering_.why();
  return s;
}

}  // namespace plimsoll::osd
