// SPDX-License-Identifier: LGPL-2.1-or-later
// Fullness of this OSD, and the loans of its space. Writes spend loans, so use stays below the line
// by itself; what remains is to notice who cannot borrow any more, to say so at once, and to notice
// when there is room again.
#include <fmt/format.h>

#include "osd/osd.h"

namespace plimsoll::osd {

namespace json = boost::json;
using command::Args;
using command::CommandReply;

namespace {

/// Requests that wait for space, in all PGs of the OSD.
constexpr uint64_t kParkedBytes = 64_MiB;
/// What one of them takes besides its message.
constexpr uint64_t kParkedCharge = 2_KiB;
/// Requests for loans that wait; more are refused.
constexpr size_t kApplicants = 10'000;
/// What keys and values cost on the host, in tenths: tables, tombstones and the log come on top.
constexpr uint64_t kKvCharge = 12;
constexpr uint64_t kLeastKvBudget = 256_MiB;
/// A ballast, unless its size is configured: half of the key-value budget within these.
constexpr uint64_t kLeastBallast = 32_MiB, kMostBallast = 1_GiB;
/// Between two looks at the host's file system.
constexpr Duration kLookAtHost = 1s;
/// How long a request for a loan waits for unspent ones to come back.
constexpr Duration kRecallPatience = 100ms;
constexpr Duration kRecallEvery = 20ms;
/// Between two looks at the space: where something is full or waits, and else.
constexpr Duration kLookOften = 50ms, kLook = 250ms;
/// The monitor is told again what it does not seem to know, and how much is to be freed by now.
constexpr Duration kTellAgain = 500ms, kTellReason = 1s;

}  // namespace

// ---- how full we are ----------------------------------------------------------------------------

uint64_t Osd::kv_budget(uint64_t size) const {
  const uint64_t budget = env_.config.osd_kv_budget();
  return budget ? budget : std::max(kLeastKvBudget, size / 10);
}

uint64_t Osd::ballast_size() const {
  if (const uint64_t size = env_.config.osd_ballast_size()) return size;
  return std::clamp(kv_budget(env_.config.osd_block_size()) / 2, kLeastBallast, kMostBallast);
}

Fullness::Space Osd::space() const {
  const StoreStatfs s = store_->statfs();
  Fullness::Space out{s.total, s.total - std::min(s.total, s.available), lender_.lent()};
  // The other half is for the log, for compaction and for what was deleted and is still there.
  out.kv_limit = kv_budget(s.total) / 2;
  out.kv_used = (s.omap_allocated + s.internal_metadata) * kKvCharge / 10;
  const HostSpace host = store_->host();
  out.host_free = host.free;
  out.host_reserve = env_.config.osd_host_reserve();
  out.ballast = host.ballast;
  out.ballast_whole = host.ballast_whole;
  return out;
}

SpaceLedger Osd::ledger() const {
  SpaceLedger out;
  if (!store_) return out;
  const Fullness::Space s = space();
  out.used = s.used;
  out.lent = s.lent;
  out.full_line = lender_.full_line();
  out.failsafe_line = lender_.failsafe_line();
  out.excepted = excepted_;
  out.exact = !proxy_;
  return out;
}

void Osd::set_ratios(const map::OSDMap& map) {
  ratios_ = map::effective_ratios(map, env_.config.osd_failsafe_full_ratio());
  check_space();
}

void Osd::check_space() {
  if (!store_ || ratios_.full <= 0) return;  // no map yet
  const Fullness::Space s = space();
  const auto line = [&](double ratio) {
    return static_cast<uint64_t>(ratio * static_cast<double>(s.total));
  };
  const bool was_failsafe = fullness_.failsafe(), was_short = fullness_.host_short();
  const bool news = fullness_.update(s, ratios_, env_.runtime.clock().now());
  failsafe_ = fullness_.failsafe();
  lender_.set_lines(fullness_.host_short() ? 0 : line(ratios_.full),
                    fullness_.host_short() && failsafe_ ? 0 : line(ratios_.failsafe));
  copy_room_ = lender_.headroom(s.used, true);
  copy_reserve_ = lender_.headroom(s.used, true) - lender_.headroom(s.used, false);
  copies_taken_ = 0;
  if (!was_short && fullness_.host_short()) log_.error("{}", fullness_.reason());
  if (was_short && !fullness_.host_short()) log_.warn("the host's file system has room again");
  const uint64_t percent = s.total ? s.used * 100 / s.total : 0;
  if (!was_failsafe && failsafe_)
    log_.error("full status failsafe engaged, nothing may grow, now {}% full", percent);
  if (was_failsafe && !failsafe_)
    log_.warn("full status failsafe disengaged, now {}% full", percent);
  if (s.lent && lender_.headroom(s.used, false) < 0) recall_loans();
  const bool differs =
      up_ && (maps_.current()->osd_state[whoami_] & map::kOsdFullness) != fullness_.state();
  const bool stale = fullness_.state() && fullness_.reason() != reason_sent_;
  const Duration since = env_.runtime.clock().now() - fullness_sent_at_;
  if (up_ && (news || (differs && since >= kTellAgain) || (stale && since >= kTellReason)))
    report_fullness();
  env_.counters.set(metrics::Counter::osd_credit_lent_bytes, s.lent);
}

void Osd::report_fullness() {
  fullness_sent_at_ = env_.runtime.clock().now();
  msg::MOsdFullness m;
  m.fsid = maps_.superblock().fsid;
  m.osd = whoami_;
  m.addr = messenger_->addr();
  m.state = fullness_.state();
  m.reason = reason_sent_ = fullness_.reason();
  mon_->send(msg::to_raw(m));
}

Task<void> Osd::look_at_host() {
  co_await store_->look_at_host(Fullness::room_on_host(env_.config.osd_host_reserve()));
  looked_at_host_ = env_.runtime.clock().now();
}

Task<void> Osd::space_loop() {
  for (;;) {
    const bool busy = fullness_.state() || !applicants_.empty() || parked_bytes_.load();
    co_await env_.runtime.clock().sleep(busy ? kLookOften : kLook);
    if (env_.runtime.clock().now() - looked_at_host_ >= kLookAtHost) co_await look_at_host();
    serve_applicants();
    check_space();
    if (parked_bytes_.load()) post_shards([](PgShard& s) { s.retry_parked(); });
  }
}

/// Until the next look at the space, what was taken before counts.
bool Osd::take_room_for_copy(uint64_t bytes, bool reserve) {
  const int64_t needed = static_cast<int64_t>(bytes);
  const int64_t kept = reserve ? 0 : copy_reserve_.load();
  int64_t room = copy_room_.load();
  do {
    if (room - kept < needed) {
      if (!reserve) refuse_copy(bytes);
      return false;
    }
  } while (!copy_room_.compare_exchange_weak(room, room - needed));
  copies_taken_ += bytes;
  if (reserve) excepted_ += bytes;
  return true;
}

/// As with a write: it is full when it had to refuse something, else nobody would know.
void Osd::refuse_copy(uint64_t bytes) {
  post(env_.runtime.executor(), [this, bytes] {
    if (stopping_) return;
    fullness_.refused(bytes, env_.runtime.clock().now());
    check_space();
  });
}

// ---- lending ------------------------------------------------------------------------------------

uint64_t Osd::try_to_lend(const Applicant& a) {
  // Copies under way and loans must not both be promised the same room.
  const uint64_t used = space().used + copies_taken_;
  const uint64_t granted = lender_.lend(a.who, a.want, a.reserve, used);
  copy_room_ -= static_cast<int64_t>(granted);
  if (a.reserve) excepted_ += granted;
  if (granted && watch_ && watch_->forgets_loan()) lender_.end(a.who, granted);
  return granted;
}

void Osd::lend(Applicant a, bool ahead) {
  if (stopping_) return;  // nobody waits any more
  if (const uint64_t granted = try_to_lend(a); granted || ahead) return answer(a, granted);
  const Fullness::Space s = space();
  const int64_t with_all_back = lender_.headroom(s.used, a.reserve) + static_cast<int64_t>(s.lent);
  const bool may_come =
      s.lent && applicants_.size() < kApplicants && with_all_back >= static_cast<int64_t>(a.want);
  a.until = env_.runtime.clock().now() + (may_come ? kRecallPatience : 0ms);
  applicants_.push_back(std::move(a));
  if (may_come) recall_loans();
  serve_applicants();
}

/// Lends where it has become possible, refuses who has waited long enough.
void Osd::serve_applicants() {
  std::deque<Applicant> waiting = std::exchange(applicants_, {});
  bool refused = false;
  const TimePoint now = env_.runtime.clock().now();
  while (!waiting.empty()) {
    Applicant a = std::move(waiting.front());
    waiting.pop_front();
    const uint64_t granted = try_to_lend(a);
    if (!granted && now < a.until) {
      applicants_.push_back(std::move(a));
      continue;
    }
    if (!granted && !a.reserve) {
      fullness_.refused(a.want, now);
      refused = true;
    }
    answer(a, granted);
  }
  if (refused) check_space();
}

void Osd::answer(const Applicant& a, uint64_t granted) {
  log_.debug(10, "osd.{} asks for {} bytes{}: {} lent", a.who.osd, a.want,
             a.reserve ? " of the reserve" : "", granted);
  if (a.from) {
    return a.from->send(msg::to_raw(msg::MOsdCreditReply{a.who.shard, a.reserve, a.want, granted}));
  }
  PgShard& s = *shards_[a.who.shard];
  const auto tell = [&s, osd = whoami_, reserve = a.reserve, asked = a.want, granted] {
    s.credits().replied(osd, reserve, asked, granted);
  };
  if (!proxy_) return tell();
  post(s.executor(), tell);
}

void Osd::end_loan(SpaceLender::Borrower who, uint64_t bytes) {
  lender_.end(who, bytes);
  if (!applicants_.empty() && !stopping_) serve_applicants();
}

void Osd::recall_loans() {
  const TimePoint now = env_.runtime.clock().now();
  if (recalled_at_.since_start.count() && now - recalled_at_ < kRecallEvery) return;
  recalled_at_ = now;
  for (const auto& [who, bytes] : std::map(lender_.loans())) {
    if (who.osd != whoami_) {
      send_to_up_osd(who.osd, msg::to_raw(msg::MOsdCreditRecall{who.shard}));
      continue;
    }
    PgShard& s = *shards_[who.shard];
    post(s.executor(), [&s, osd = whoami_] { s.credits().recalled(osd); });
  }
}

/// Runs where the last copy of a message goes.
struct Osd::LoanEnd {
  Osd& osd;
  SpaceLender::Borrower who;
  uint64_t bytes;
  ~LoanEnd() {
    if (!osd.proxy_)
      osd.end_loan(who, bytes);
    else
      post(osd.env_.runtime.executor(), [&o = osd, w = who, b = bytes] { o.end_loan(w, b); });
  }
};

std::shared_ptr<void> Osd::loan_end(SpaceLender::Borrower who, uint64_t bytes) {
  return std::shared_ptr<LoanEnd>(new LoanEnd{*this, who, bytes});
}

bool Osd::on_credit_message(const messenger::ConnectionRef& from, const msg::RawMessage& raw) {
  const auto osd = static_cast<OsdId>(from->peer().num);
  const auto with_shard = [&](uint32_t index, std::function<void(PgShard&)> fn) {
    if (index >= shards_.size()) return from->close();
    PgShard* s = shards_[index].get();
    if (!proxy_) return fn(*s);
    post(s->executor(), [s, fn] { fn(*s); });
  };
  switch (raw.type) {
#define ON(Type, ...)                    \
  case msg::Type::kType: {               \
    auto m = msg::parse<msg::Type>(raw); \
    if (!m) return from->close(), true;  \
    __VA_ARGS__;                         \
    return true;                         \
  }
    ON(MOsdCreditRequest, lend({{osd, m->shard}, m->reserve, m->want, from, {}}, m->ahead))
    ON(MOsdCreditReturn, end_loan({osd, m->shard}, m->bytes))
    ON(MOsdCreditReset, {
      std::erase_if(applicants_, [&](const Applicant& a) {
        return a.who == SpaceLender::Borrower{osd, m->shard};
      });
      lender_.reset({osd, m->shard}, m->in_flight);
    })
    ON(MOsdCreditReply, with_shard(m->shard, [osd, r = *m](PgShard& s) {
         s.credits().replied(osd, r.reserve, r.asked, r.granted);
       }))
    ON(MOsdCreditRecall, with_shard(m->shard, [osd](PgShard& s) { s.credits().recalled(osd); }))
#undef ON
    default:
      return false;
  }
}

// ---- borrowing, for our shards ------------------------------------------------------------------

void Osd::send_to_up_osd(OsdId osd, msg::RawMessage message) {
  if (!stopping_ && maps_.current()) send_to_osd(osd, maps_.current(), std::move(message));
}

void Osd::ask_credit(uint32_t shard, OsdId from, bool reserve, bool ahead, uint64_t want) {
  const auto ask = [this, shard, from, reserve, ahead, want] {
    log_.debug(20, "asks osd.{} for {} bytes", from, want);
    if (from != whoami_)
      return send_to_up_osd(from, msg::to_raw(msg::MOsdCreditRequest{shard, reserve, ahead, want}));
    lend({{whoami_, shard}, reserve, want, nullptr, {}}, ahead);
  };
  if (!proxy_) return ask();
  post(env_.runtime.executor(), ask);
}

void Osd::return_credit(uint32_t shard, OsdId to, uint64_t bytes) {
  const auto give = [this, shard, to, bytes] {
    if (to != whoami_) return send_to_up_osd(to, msg::to_raw(msg::MOsdCreditReturn{shard, bytes}));
    end_loan({whoami_, shard}, bytes);
  };
  if (!proxy_) return give();
  post(env_.runtime.executor(), give);
}

void Osd::credit_spent(uint32_t shard, uint64_t bytes) {
  if (!proxy_) return end_loan({whoami_, shard}, bytes);
  post(env_.runtime.executor(), [this, shard, bytes] { end_loan({whoami_, shard}, bytes); });
}

void Osd::reset_credit(uint32_t shard, OsdId osd, uint64_t in_flight) {
  const auto reset = [this, shard, osd, in_flight] {
    send_to_up_osd(osd, msg::to_raw(msg::MOsdCreditReset{shard, in_flight}));
  };
  if (!proxy_) return reset();
  post(env_.runtime.executor(), reset);
}

bool Osd::park(uint64_t bytes) {
  bytes += kParkedCharge;
  if (parked_bytes_.fetch_add(bytes) + bytes <= kParkedBytes) return true;
  parked_bytes_ -= bytes;
  return false;
}

void Osd::unpark(uint64_t bytes) {
  parked_bytes_ -= bytes + kParkedCharge;
}

// ---- commands -----------------------------------------------------------------------------------

Task<CommandReply> Osd::cmd_inject_full(const Args& args) {
  const std::string type = args.str_or("type", "full");
  const int64_t count = args.int_or("count", -1);
  static const std::map<std::string, uint32_t> kStates = {{"none", 0},
                                                          {"nearfull", map::kOsdNearFull},
                                                          {"backfillfull", map::kOsdBackfillFull},
                                                          {"full", map::kOsdFull},
                                                          {"failsafe", map::kOsdFull}};
  const auto state = kStates.find(type);
  if (state == kStates.end())
    co_return CommandReply(-EINVAL, "'" + type +
                                        "' is none of 'none', 'nearfull', "
                                        "'backfillfull', 'full', 'failsafe'");
  fullness_.inject(state->second, type == "failsafe", count);
  check_space();
  co_return CommandReply(0, "");
}

Task<CommandReply> Osd::cmd_dump_fullness(const Args& args) {
  const Fullness::Space s = space();
  json::array loans;
  for (const auto& [who, bytes] : lender_.loans())
    loans.push_back({{"osd", who.osd}, {"shard", who.shard}, {"bytes", bytes}});
  json::array states;
  for (const auto& name : map::osd_state_names(fullness_.state())) states.emplace_back(name);
  json::object out{{"total", s.total},
                   {"used", s.used},
                   {"lent", s.lent},
                   {"kv_used", s.kv_used},
                   {"kv_limit", s.kv_limit},
                   {"host_free", s.host_free},
                   {"host_reserve", s.host_reserve},
                   {"ballast", s.ballast},
                   {"ballast_whole", s.ballast_whole},
                   {"host_full", fullness_.host_short()},
                   {"full_line", lender_.full_line()},
                   {"failsafe_line", lender_.failsafe_line()},
                   {"headroom", lender_.headroom(s.used, false)},
                   {"ratios",
                    {{"nearfull", ratios_.nearfull},
                     {"backfillfull", ratios_.backfillfull},
                     {"full", ratios_.full},
                     {"failsafe", ratios_.failsafe}}},
                   {"state", std::move(states)},
                   {"failsafe", fullness_.failsafe()},
                   {"injected", fullness_.injected()},
                   {"reason", fullness_.reason()},
                   {"waiting_for_loans", applicants_.size()},
                   {"parked_bytes", parked_bytes_.load()},
                   {"loans", std::move(loans)}};
  co_return CommandReply::json(out, args.format());
}

}  // namespace plimsoll::osd
