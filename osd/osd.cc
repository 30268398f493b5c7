// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/osd.h"

#include <fmt/format.h>

#include <charconv>

#include "osd/store/block_store.h"
#include "osd/store/mem_store.h"

namespace plimsoll::osd {

namespace {

/// Log entries of all PGs together; each keeps its share.
constexpr size_t kLogEntriesPerOsd = 30'000;
constexpr Duration kMonTimeout = 300s;

OsdId id_from(const std::string& text) {
  OsdId id = kNoOsd;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
  return ec == std::errc() && end == text.data() + text.size() && id >= 0 && id < map::kMaxOsds
             ? id
             : kNoOsd;
}

Task<void> call(PgShard* shard, std::function<void(PgShard&)> fn) {
  fn(*shard);
  co_return;
}

}  // namespace

Osd::Osd(daemon::Env& env)
    : env_(env),
      whoami_(id_from(env.config.who().id)),
      log_(log::Subsystem::kOsd, env.config.who().name()),
      tasks_(env.runtime.executor()),
      auth_(EntityType::kOsd, env.config.who().id),
      copier_(env.runtime, env.config) {}

Osd::~Osd() = default;

// ---- start --------------------------------------------------------------------------------------

Task<Result<>> Osd::open_store() {
  if (whoami_ == kNoOsd)
    co_return fail(EINVAL, fmt::format("'{}' is no OSD id", env_.config.who().id));
  BlockStoreOptions options;
  options.path = env_.config.osd_data();
  options.owner.osd = whoami_;
  options.ballast = ballast_size();
  options.kv.cache_bytes = env_.config.osd_block_kv_cache_size();
  options.onode_cache_bytes = env_.config.osd_block_onode_cache_size();
  if (const Uuid fsid = env_.config.fsid_value(); !fsid.is_zero()) options.owner.fsid = fsid;
  store_ = std::make_unique<BlockStore>(env_.runtime, options);
  if (auto mounted = co_await store_->mount(); !mounted) {
    store_.reset();
    co_return mounted.error();
  }
  if (env_.runtime.shards() > 1)
    proxy_ = std::make_unique<StoreProxy>(*store_, env_.runtime.executor());
  CO_TRY_VOID(co_await maps_.load(*store_));
  co_return Result<>();
}

/// Where public_addr says; a port of 0 tries the configured range and then any.
Result<EntityAddr> Osd::bind() {
  const std::string text =
      env_.config.public_addr().empty() ? "127.0.0.1" : env_.config.public_addr();
  TRY(addr, EntityAddr::parse(text.find(':') == text.npos ? text + ":0" : text));
  addr.type = EntityAddr::kMsgr2;
  if (addr.port) return messenger_->bind(addr);
  for (int64_t port = env_.config.ms_bind_port_min(); port <= env_.config.ms_bind_port_max();
       port++) {
    addr.port = static_cast<uint16_t>(port);
    auto bound = messenger_->bind(addr);
    if (bound || bound.error().code() != EADDRINUSE) return bound;
  }
  return fail(EADDRINUSE, fmt::format("no free port in {} to {}", env_.config.ms_bind_port_min(),
                                      env_.config.ms_bind_port_max()));
}

Task<Result<>> Osd::start() {
  CO_TRY_VOID(co_await open_store());
  CO_TRY(pgs, co_await store_->list_collections());
  for (size_t i = 0; i < env_.runtime.shards(); i++) {
    shards_.push_back(std::make_unique<PgShard>(static_cast<PgHost&>(*this), env_.runtime.shard(i),
                                                i, env_.runtime.shards()));
    auto loading = shards_.back()->load(pgs);
    CO_TRY_VOID(co_await run_on(shards_.back()->executor(), std::move(loading)));
  }
  co_await look_at_host();
  check_space();

  messenger::MessengerOptions options;
  options.dispatch_throttle_bytes = env_.config.osd_client_message_size_cap();
  options.dispatch_throttle_messages = env_.config.osd_client_message_cap();
  messenger_ = std::make_unique<messenger::Messenger>(
      env_.runtime, env_.config, EntityName{EntityType::kOsd, whoami_}, auth_, options);
  messenger_->set_dispatcher(this);
  Peers::Hooks hooks;
  hooks.on_reset = [this](OsdId osd) {
    post_shards([osd](PgShard& s) { s.on_peer_reset(osd); });
  };
  hooks.unreachable = [this](OsdId osd, const EntityAddr& addr, bool refused, Duration silent) {
    report_unreachable(osd, addr, refused, silent);
  };
  peers_ = std::make_unique<Peers>(env_.runtime, *messenger_, std::move(hooks));
  CO_TRY(addr, bind());
  log_.info("listens at {}", addr.to_string());
  co_return co_await first_map();
}

/// Until the monitor's map is known to be of our cluster, nothing is served.
Task<Result<>> Osd::first_map() {
  rados::MonClient::Hooks hooks;
  hooks.on_osdmap = [this](msg::MOSDMap m) { on_osdmap(m); };
  hooks.on_config = [this](std::map<std::string, std::string> values) {
    env_.config.apply_mon(values);
  };
  hooks.on_session = [this] { mon_session(); };
  hooks.on_other = [this](const msg::RawMessage& raw) { return on_mon_message(raw); };
  mon_ =
      std::make_unique<rados::MonClient>(env_.runtime, env_.config, *messenger_, std::move(hooks));
  mon_->subscribe("osdmap", maps_.epoch() ? maps_.epoch() + 1 : 0);
  CO_TRY_VOID(co_await mon_->start(kMonTimeout));
  if (!maps_.current()) co_await have_map_.wait();
  if (!map_error_.empty()) co_return fail(EINVAL, map_error_);
  send_boot();
  command::add_rows(env_.admin.table(), command_rows(), *this);
  tasks_.spawn(tick_loop());
  tasks_.spawn(space_loop());
  tasks_.spawn(report_loop());
  co_return Result<>();
}

// ---- stop ---------------------------------------------------------------------------------------

Task<void> Osd::stop() {
  if (mon_ && up_) co_await say_goodbye();
  stopping_ = true;
  boot_retry_.cancel();
  co_await tasks_.stop();
  co_await copier_.stop();
  if (mon_) co_await mon_->stop();
  if (messenger_) co_await messenger_->stop();
  if (peers_) peers_->clear();
  clients_.clear();
  // From here on nothing is posted to shards: what was, runs there before stop() does, and what
  // they still post to us finds stopping_.
  applicants_.clear();
  for (auto& shard : shards_) {
    auto stopping = shard->stop();
    co_await run_on(shard->executor(), std::move(stopping));
  }
  if (store_) co_await store_->umount();
  shards_.clear();
  store_.reset();
}

// ---- running ------------------------------------------------------------------------------------

void Osd::post_shards(std::function<void(PgShard&)> fn) {
  for (auto& shard : shards_) {
    PgShard* s = shard.get();
    if (s->executor() == env_.runtime.executor())
      fn(*s);
    else
      post(s->executor(), [s, fn] { fn(*s); });
  }
}

Task<void> Osd::on_shards(std::function<void(PgShard&)> fn) {
  for (auto& shard : shards_) {
    auto calling = call(shard.get(), fn);
    co_await run_on(shard->executor(), std::move(calling));
  }
}

Task<void> Osd::tick_loop() {
  for (;;) {
    const double seconds = env_.config.osd_tick_interval();
    co_await env_.runtime.clock().sleep(
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));

    messenger_->set_throttle(env_.config.osd_client_message_size_cap(),
                             env_.config.osd_client_message_cap());
    peers_->ping(std::chrono::seconds(env_.config.osd_heartbeat_grace()));
    post_shards([](PgShard& s) { s.tick(); });
    auto all = std::make_shared<PgShard::Counts>();
    const auto each = [all](PgShard& s) {
      const auto c = s.counts();
      all->pgs += c.pgs;
      all->primary += c.primary;
      all->replica += c.replica;
      all->stray += c.stray;
      all->removing += c.removing;
    };
    co_await on_shards(each);
    using metrics::Counter;
    env_.counters.set(Counter::osd_numpg, all->pgs);
    env_.counters.set(Counter::osd_numpg_primary, all->primary);
    env_.counters.set(Counter::osd_numpg_replica, all->replica);
    env_.counters.set(Counter::osd_numpg_stray, all->stray);
    env_.counters.set(Counter::osd_numpg_removing, all->removing);
    pg_log_target_ = std::clamp<size_t>(
        kLogEntriesPerOsd / std::max<size_t>(all->pgs, 1), env_.config.osd_min_pg_log_entries(),
        std::max(env_.config.osd_min_pg_log_entries(), env_.config.osd_max_pg_log_entries()));
  }
}

// ---- for PGs ------------------------------------------------------------------------------------

void Osd::send_to_osd(OsdId osd, const MapRef& map, msg::RawMessage message) {
  if (!map->is_up(osd)) return;
  const EntityAddr addr = map->client_addrs[osd].msgr2();
  if (!proxy_) return peers_->send(osd, addr, std::move(message));
  post(env_.runtime.executor(), [this, osd, addr, m = std::move(message)]() mutable {
    if (!stopping_) peers_->send(osd, addr, std::move(m));
  });
}

std::shared_ptr<void> Osd::held_slot() {
  struct Slot {
    explicit Slot(std::atomic<uint64_t>& n) : held(n) {}
    ~Slot() { held--; }
    std::atomic<uint64_t>& held;
  };
  const uint64_t most = env_.config.osd_client_message_cap() / 2;
  if (held_.fetch_add(1) >= most) {
    held_--;
    return nullptr;
  }
  return std::make_shared<Slot>(held_);
}

std::shared_ptr<void> Osd::join_slot() {
  struct Slot {
    explicit Slot(Osd& o) : osd(o) {}
    ~Slot() {
      osd.joins_--;
      post(osd.env_.runtime.executor(), [o = &osd] {
        if (!o->stopping_) o->post_shards([](PgShard& s) { s.retry_joining(); });
      });
    }
    Osd& osd;
  };
  if (joins_.fetch_add(1) >= std::max<uint64_t>(1, env_.config.osd_max_backfills())) {
    joins_--;
    return nullptr;
  }
  return std::make_shared<Slot>(*this);
}

void Osd::ask_to_join(msg::PgHeader pg, std::vector<OsdId> home, OsdId newcomer) {
  post(env_.runtime.executor(), [this, pg, home = std::move(home), newcomer]() mutable {
    if (stopping_ || !mon_->has_session()) return;
    msg::MOsdPgJoin m;
    m.fsid = maps_.superblock().fsid;
    m.pg = pg.pgid;
    m.since = pg.interval;
    m.epoch = pg.epoch;
    m.home = std::move(home);
    m.newcomer = newcomer;
    mon_->send(msg::to_raw(m));
  });
}

void Osd::pg_state_changed() {
  if (state_report_wanted_.exchange(true)) return;
  post(env_.runtime.executor(), [this] { report_now_.set(); });
}

void Osd::fatal(const Error& error) {
  post(env_.runtime.executor(), [this, error] {
    if (stopping_) return;
    log_.error("the object store failed: {}", error.to_string());
    env_.exit(1, "the object store failed: " + error.to_string());
  });
}

}  // namespace plimsoll::osd
