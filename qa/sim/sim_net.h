// SPDX-License-Identifier: LGPL-2.1-or-later
// A network of byte streams between simulated hosts, below the messenger, so that half frames,
// resets and reconnects are exercised. Bytes of a stream arrive in order, cut at any place, after a
// delay with a floor. A link can be cut in one direction: what is sent then waits, as for TCP's
// retransmission. When a host dies its peers see a reset; bytes already under way still arrive
// before it.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/rt/net.h"
#include "qa/sim/sim_clock.h"

namespace plimsoll::sim {

struct NetFaults {
  Duration latency_floor = 30us;
  Duration latency_mean = 100us;  ///< above the floor, exponential
  double spike = 0.001;           ///< chance of a long delay
  Duration spike_most = 30ms;     ///< which holds up its own stream only
  double partial_read = 0.1;
  double reset = 0;  ///< per delivery, of which a part still arrives
  double flip = 0;   ///< per delivery: a bit of it arrives wrong
};

class SimListener;
struct Connection;

/// The wires between all hosts.
class Network {
 public:
  Network(Schedule& schedule, Rng rng) : schedule_(schedule), rng_(rng) {}

  NetFaults faults;
  /// What `from` sends does not reach `to` until heal().
  void cut(const std::string& from, const std::string& to) { cuts_.insert({from, to}); }
  void heal() { cuts_.clear(); }
  /// All streams between two hosts are reset; what is under way is lost.
  void sever(const std::string& a, const std::string& b);
  /// All streams and listeners of an incarnation end as those of a killed process.
  void kill(Incarnation incarnation);

 private:
  friend class SimNet;
  friend class SimListener;
  friend class SimStream;
  struct Address {
    std::array<uint8_t, 16> ip;
    uint16_t port;
    auto operator<=>(const Address&) const = default;
  };
  static Address key(const EntityAddr& a) { return {a.ip, a.port}; }

  bool is_cut(const std::string& from, const std::string& to) const {
    return cuts_.contains({from, to});
  }
  Duration latency();
  /// Of what is under way at the end of its stream only a beginning arrives.
  void break_off(const std::shared_ptr<Connection>& c, Bytes& data);
  /// The head of side `from`'s outgoing queue arrives at the other side.
  void deliver(const std::shared_ptr<Connection>& c, int from);
  void send(const std::shared_ptr<Connection>& c, int from, struct Segment segment);

  Schedule& schedule_;
  Rng rng_;
  std::set<std::pair<std::string, std::string>> cuts_;
  std::map<Address, SimListener*> listeners_;
  std::map<uint64_t, std::weak_ptr<Connection>> connections_;
  uint64_t next_connection_ = 1;
};

/// One incarnation's view of the network.
class SimNet : public Net {
 public:
  SimNet(Network& network, Clock& clock, Incarnation incarnation, std::string host, EntityAddr ip)
      : network_(network),
        clock_(clock),
        incarnation_(incarnation),
        host_(std::move(host)),
        ip_(ip) {}
  Task<Result<std::unique_ptr<Stream>>> connect(EntityAddr to) override;
  Result<std::unique_ptr<Listener>> listen(EntityAddr at) override;
  /// Nobody can connect to it.
  Result<std::unique_ptr<Listener>> listen_unix(const std::string& path) override;

 private:
  friend class SimListener;
  /// Loopback and "any" mean this host.
  EntityAddr own(EntityAddr a) const;

  Network& network_;
  Clock& clock_;
  const Incarnation incarnation_;
  const std::string host_;
  const EntityAddr ip_;
  uint16_t next_port_ = 40000;
};

}  // namespace plimsoll::sim
