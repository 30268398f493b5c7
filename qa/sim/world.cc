// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/world.h"

#include <boost/asio/co_spawn.hpp>
#include <cstdio>

/// What is in the graveyard counts as leaked where frames hold each other; see below.
extern "C" const char* __lsan_default_options() { return "detect_leaks=0"; }

namespace plimsoll::sim {

namespace {

/// More handlers than this at one instant: tasks wake each other without end.
constexpr uint64_t kMaxReady = 10'000'000;

/// Where killed incarnations stay. Never destroyed: their frames refer to their objects and the
/// other way round, and a real kill runs no destructor either.
struct Grave {
  std::unique_ptr<SimRuntime> runtime;
  std::vector<std::shared_ptr<void>> held;
};
std::vector<Grave>& graveyard() {
  static auto* graves = new std::vector<Grave>();
  return *graves;
}

/// Between worlds.
struct NoSink : log::Sink {
  void write(log::Severity, log::Subsystem, const std::string&, const std::string&) override {}
};

EntityAddr host_ip(size_t index) {
  EntityAddr a;
  a.type = EntityAddr::kMsgr2;
  a.family = 2;
  a.ip = {10, 0, static_cast<uint8_t>(index >> 8), static_cast<uint8_t>(index)};
  return a;
}

}  // namespace

class World::LogSink : public log::Sink {
 public:
  explicit LogSink(Schedule& schedule) : schedule_(schedule) {}
  void write(log::Severity severity, log::Subsystem subsystem, const std::string& context,
             const std::string& text) override {
    schedule_.hash().add(EventHash::Kind::kLog, static_cast<uint64_t>(severity), text);
    if (severity == log::Severity::kError) errors++;
    if (!verbose && severity != log::Severity::kError) return;
    std::fprintf(stderr, "%14.9f %-8s %s: %s\n", schedule_.now().since_start.count() * 1e-9,
                 log::subsystem_name(subsystem), context.c_str(), text.c_str());
  }
  size_t errors = 0;
  bool verbose = false;

 private:
  Schedule& schedule_;
};

// ---- Host ---------------------------------------------------------------------------------------

SimRuntime& Host::boot() {
  CHECK(!runtime_);
  const Incarnation incarnation = world_.next_incarnation_++;
  world_.hash().add(EventHash::Kind::kHost, incarnation, name_);
  runtime_ = std::make_unique<SimRuntime>(world_.schedule(), world_.network(), storage, name_, ip_,
                                          incarnation, shards_, world_.clock_skew,
                                          world_.rng().fork());
  return *runtime_;
}

void Host::kill() {
  CHECK(runtime_);
  world_.hash().add(EventHash::Kind::kHost, runtime_->incarnation());
  world_.schedule().drop(runtime_->incarnation());
  world_.network().kill(runtime_->incarnation());
  storage.crash(world_.rng());
  graveyard().push_back({std::move(runtime_), std::move(held_)});
  held_.clear();
}

void Host::shut_down() {
  CHECK(runtime_);
  held_.clear();
  // Destroyed tasks post the rest of their destruction.
  while (runtime_->poll_one()) {
  }
  world_.schedule().drop(runtime_->incarnation());
  world_.network().kill(runtime_->incarnation());
  runtime_.reset();
}

// ---- World --------------------------------------------------------------------------------------

World::World(uint64_t seed)
    : rng_(seed), schedule_(rng_.fork()), network_(schedule_, rng_.fork()),
      log_(std::make_unique<LogSink>(schedule_)) {
  log::set_sink(log_.get());
}

World::~World() {
  for (auto& h : hosts_)
    if (h->is_up()) h->kill();
  static NoSink none;
  log::set_sink(&none);
}

Host& World::add_host(const std::string& name, size_t shards) {
  hosts_.push_back(std::make_unique<Host>(*this, name, host_ip(hosts_.size() + 1), shards));
  return *hosts_.back();
}

Host& World::host(const std::string& name) {
  for (auto& h : hosts_)
    if (h->name() == name) return *h;
  check_failed("host exists", __FILE__, __LINE__, name.c_str());
}

size_t World::errors() const { return log_->errors; }
void World::set_verbose(bool verbose) { log_->verbose = verbose; }

void World::settle() {
  // A host's handlers touch nothing of another host but through the schedule, so the order of hosts
  // matters only for what they draw and send: a random start is enough to vary it.
  const size_t start = hosts_.empty() ? 0 : rng_.below(hosts_.size());
  uint64_t handled = 0;
  for (bool ran = true; ran;) {
    ran = false;
    for (size_t i = 0; i < hosts_.size(); i++) {
      Host& h = *hosts_[(start + i) % hosts_.size()];
      while (h.is_up() && h.runtime().poll_one()) {
        ran = true;
        if (after_step_) after_step_(h);
        CHECK_NOTE(++handled < kMaxReady, "virtual time stands still");
      }
    }
  }
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end = schedule_.now() + limit;
  for (;;) {
    settle();
    if (done()) return true;
    if (!schedule_.run_next(end)) {
      schedule_.advance_to(end);
      return false;
    }
  }
}

void World::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

void World::run(Host& host, Task<void> task, Duration limit) {
  struct State {
    bool ended = false;
    std::exception_ptr failure;
  };
  auto state = std::make_shared<State>();
  boost::asio::co_spawn(host.runtime().executor(), std::move(task), [state](std::exception_ptr e) {
    state->ended = true;
    state->failure = e;
  });
  CHECK_NOTE(run_until([state] { return state->ended; }, limit), "the task did not end");
  if (state->failure) std::rethrow_exception(state->failure);
}

}  // namespace plimsoll::sim
