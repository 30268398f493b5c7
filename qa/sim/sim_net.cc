// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_net.h"

#include <cmath>

#include "common/rt/sync.h"

namespace plimsoll::sim {

namespace {

constexpr size_t kWindow = 256 << 10;  ///< bytes of a direction that are sent and not yet read
constexpr size_t kSegment = 64 << 10;
constexpr Duration kConnectTimeout = 10s;
constexpr Duration kRetransmit = 50ms;

void flip_a_bit(Bytes& data, Rng& rng) {
  std::string damaged = data.to_string();
  damaged[rng.below(damaged.size())] ^= static_cast<char>(1u << rng.below(8));
  data = Bytes::take(std::move(damaged));
}

}  // namespace

struct Segment {
  enum class Kind { kData, kEnd, kReset };
  Kind kind = Kind::kData;
  Bytes data;
};

/// One direction. The sender waits in `writable`, the receiver in `readable`.
struct Pipe {
  std::deque<Segment> under_way;
  std::deque<Bytes> arrived;
  size_t unread = 0;  ///< bytes under way and arrived
  TimePoint last_arrival;
  bool ended = false;
  WaitQueue readable, writable;
};

/// Side 0 connected, side 1 accepted. pipe[i] carries what side i sends.
struct Connection {
  struct Side {
    Incarnation incarnation;
    std::string host;
    EntityAddr addr;
    bool closed = false;
    bool reset = false;
  };
  uint64_t id;
  Side side[2];
  Pipe pipe[2];
  bool breaking = false;  ///< nothing arrives any more; both sides will see a reset

  void wake(int i) {
    pipe[i].writable.notify_all();
    pipe[1 - i].readable.notify_all();
  }
};

// ---- Network ------------------------------------------------------------------------------------

Duration Network::latency() {
  const double mean = static_cast<double>(faults.latency_mean.count());
  Duration d =
      faults.latency_floor + Duration(static_cast<int64_t>(-mean * std::log1p(-rng_.unit())));
  if (rng_.chance(faults.spike)) d += Duration(rng_.below(faults.spike_most.count()));
  return d;
}

void Network::send(const std::shared_ptr<Connection>& c, int from, Segment segment) {
  Pipe& pipe = c->pipe[from];
  pipe.unread += segment.data.size();
  pipe.under_way.push_back(std::move(segment));
  pipe.last_arrival = std::max(pipe.last_arrival, schedule_.now() + latency());
  schedule_.add(kWorld, pipe.last_arrival - schedule_.now(), [this, c, from] { deliver(c, from); });
}

void Network::break_off(const std::shared_ptr<Connection>& c, Bytes& data) {
  c->breaking = true;
  data = data.slice(0, rng_.below(data.size() + 1));
  schedule_.add(kWorld, latency(), [c] {
    c->side[0].reset = c->side[1].reset = true;
    c->wake(0);
    c->wake(1);
  });
}

void Network::deliver(const std::shared_ptr<Connection>& c, int from) {
  Pipe& pipe = c->pipe[from];
  Connection::Side& to = c->side[1 - from];
  if (is_cut(c->side[from].host, to.host)) {
    // Any delivery takes the head of the queue, so the order stays.
    schedule_.add(kWorld, kRetransmit + latency(), [this, c, from] { deliver(c, from); });
    return;
  }
  Segment segment = std::move(pipe.under_way.front());
  pipe.under_way.pop_front();
  if (c->breaking) return;
  if (rng_.chance(faults.reset)) break_off(c, segment.data);
  if (!segment.data.empty() && rng_.chance(faults.flip)) flip_a_bit(segment.data, rng_);
  schedule_.hash().add(EventHash::Kind::kDelivery, c->id * 2 + from,
                       static_cast<uint64_t>(schedule_.now().since_start.count()));
  schedule_.hash().add(EventHash::Kind::kDelivery, static_cast<uint64_t>(segment.kind),
                       segment.data.view());
  switch (segment.kind) {
    case Segment::Kind::kData:
      if (!segment.data.empty()) pipe.arrived.push_back(std::move(segment.data));
      break;
    case Segment::Kind::kEnd: pipe.ended = true; break;
    case Segment::Kind::kReset: to.reset = true; break;
  }
  c->wake(0);
  c->wake(1);
}

// ---- SimStream ----------------------------------------------------------------------------------

class SimStream : public Stream {
 public:
  SimStream(Network& network, std::shared_ptr<Connection> c, int side)
      : network_(network), c_(std::move(c)), side_(side) {}
  ~SimStream() override { close(); }

  Task<Result<size_t>> read_some(std::span<uint8_t> into) override {
    const auto c = c_;
    const int side = side_;
    Network& network = network_;
    Pipe& pipe = c->pipe[1 - side];
    while (pipe.arrived.empty() && !pipe.ended && !broken(*c, side)) co_await pipe.readable.wait();
    if (c->side[side].closed) co_return fail(ECANCELED, "read: the stream is closed");
    if (c->side[side].reset) co_return fail(ECONNRESET, "read: connection reset");
    if (pipe.arrived.empty()) co_return size_t{0};
    Bytes& front = pipe.arrived.front();
    size_t n = std::min(into.size(), front.size());
    if (n > 1 && network.rng_.chance(network.faults.partial_read)) n = 1 + network.rng_.below(n);
    std::memcpy(into.data(), front.data(), n);
    front = front.slice(n);
    if (front.empty()) pipe.arrived.pop_front();
    pipe.unread -= n;
    pipe.writable.notify_all();
    co_return n;
  }

  Task<Result<>> write(std::vector<Bytes> data) override {
    const auto c = c_;
    const int side = side_;
    Network& network = network_;
    Pipe& pipe = c->pipe[side];
    for (Bytes& piece : data) {
      while (!piece.empty()) {
        while (pipe.unread >= kWindow && !broken(*c, side)) co_await pipe.writable.wait();
        if (c->side[side].closed) co_return fail(ECANCELED, "write: the stream is closed");
        if (c->side[side].reset) co_return fail(ECONNRESET, "write: connection reset");
        const size_t n = std::min({piece.size(), kSegment, kWindow - pipe.unread});
        Segment segment;
        segment.data = piece.slice(0, n);
        piece = piece.slice(n);
        // Towards a closed peer the kernel would answer by a reset.
        if (c->side[1 - side].closed) c->side[side].reset = true;
        else network.send(c, side, std::move(segment));
      }
    }
    co_return Result<>();
  }

  void close() override {
    if (c_->side[side_].closed) return;
    c_->side[side_].closed = true;
    Segment end;
    end.kind = Segment::Kind::kEnd;
    network_.send(c_, side_, std::move(end));
    c_->wake(side_);
  }
  EntityAddr local() const override { return c_->side[side_].addr; }
  EntityAddr remote() const override { return c_->side[1 - side_].addr; }

 private:
  static bool broken(const Connection& c, int side) {
    return c.side[side].closed || c.side[side].reset;
  }

  Network& network_;
  const std::shared_ptr<Connection> c_;
  const int side_;
};

// ---- SimListener --------------------------------------------------------------------------------

class SimListener : public Listener {
 public:
  SimListener(Network& network, Incarnation incarnation, std::string host, EntityAddr at)
      : network_(network), incarnation_(incarnation), host_(std::move(host)), local_(at) {
    if (!at.is_blank()) network_.listeners_[Network::key(at)] = this;
  }
  ~SimListener() override { close(); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    while (backlog_.empty() && !closed_) co_await arrived_.wait();
    if (closed_) co_return fail(ECANCELED, "accept: the listener is closed");
    auto stream = std::move(backlog_.front());
    backlog_.pop_front();
    co_return stream;
  }
  EntityAddr local() const override { return local_; }
  void close() override {
    if (closed_) return;
    closed_ = true;
    backlog_.clear();
    if (!local_.is_blank()) network_.listeners_.erase(Network::key(local_));
    arrived_.notify_all();
  }

  void add(std::unique_ptr<Stream> stream) {
    backlog_.push_back(std::move(stream));
    arrived_.notify_one();
  }
  Incarnation incarnation() const { return incarnation_; }
  const std::string& host() const { return host_; }

 private:
  Network& network_;
  const Incarnation incarnation_;
  const std::string host_;
  const EntityAddr local_;
  bool closed_ = false;
  std::deque<std::unique_ptr<Stream>> backlog_;
  WaitQueue arrived_;
};

void Network::kill(Incarnation incarnation) {
  std::erase_if(listeners_, [&](const auto& l) { return l.second->incarnation() == incarnation; });
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto c = it->second.lock();
    it = c ? std::next(it) : connections_.erase(it);
    for (int i = 0; c && i < 2; i++) {
      if (c->side[i].incarnation != incarnation || c->side[i].closed) continue;
      c->side[i].closed = true;
      Segment reset;
      reset.kind = Segment::Kind::kReset;
      send(c, i, std::move(reset));
    }
  }
}

void Network::sever(const std::string& a, const std::string& b) {
  for (auto& [id, weak] : connections_) {
    const auto c = weak.lock();
    if (!c) continue;
    const std::string &x = c->side[0].host, &y = c->side[1].host;
    if (!(x == a && y == b) && !(x == b && y == a)) continue;
    c->side[0].reset = c->side[1].reset = true;
    c->wake(0);
    c->wake(1);
  }
}

// ---- SimNet -------------------------------------------------------------------------------------

EntityAddr SimNet::own(EntityAddr a) const {
  if (a.ip[0] == 127 || a.ip[0] == 0) a.ip = ip_.ip;
  return a;
}

Task<Result<std::unique_ptr<Stream>>> SimNet::connect(EntityAddr to) {
  to = own(to);
  co_await clock_.sleep(network_.latency());
  const auto found = network_.listeners_.find(Network::key(to));
  if (found == network_.listeners_.end())
    co_return fail(ECONNREFUSED, "connect to " + to.ip_port_nonce() + ": connection refused");
  SimListener& listener = *found->second;
  if (network_.is_cut(host_, listener.host()) || network_.is_cut(listener.host(), host_)) {
    co_await clock_.sleep(kConnectTimeout);
    co_return fail(ETIMEDOUT, "connect to " + to.ip_port_nonce() + ": no answer in 10 s");
  }
  EntityAddr from = ip_;
  from.port = next_port_ = next_port_ == 65535 ? 40000 : next_port_ + 1;
  auto c = std::make_shared<Connection>();
  c->id = network_.next_connection_++;
  c->side[0] = {incarnation_, host_, from};
  c->side[1] = {listener.incarnation(), listener.host(), to};
  network_.connections_[c->id] = c;
  auto mine = std::make_unique<SimStream>(network_, c, 0);
  listener.add(std::make_unique<SimStream>(network_, c, 1));
  co_await clock_.sleep(network_.latency());
  co_return std::move(mine);
}

Result<std::unique_ptr<Listener>> SimNet::listen(EntityAddr at) {
  at = own(at);
  auto taken = [&] { return network_.listeners_.contains(Network::key(at)); };
  if (at.port == 0) {
    at.port = 6800;
    while (taken()) at.port++;
  }
  if (taken()) return fail(EADDRINUSE, "listen on " + at.ip_port_nonce() + ": address in use");
  return std::unique_ptr<Listener>(new SimListener(network_, incarnation_, host_, at));
}

Result<std::unique_ptr<Listener>> SimNet::listen_unix(const std::string&) {
  return std::unique_ptr<Listener>(new SimListener(network_, incarnation_, host_, EntityAddr{}));
}

}  // namespace plimsoll::sim
