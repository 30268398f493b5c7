// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/peers.h"

#include <algorithm>

namespace plimsoll::osd {

Peers::Peer& Peers::peer(OsdId osd, const EntityAddr& addr) {
  Peer& peer = peers_[osd];
  if (peer.addr != addr) {
    if (peer.connection) peer.connection->close();
    peer = Peer();
    peer.addr = addr;
    peer.connection = messenger_.connect(EntityType::kOsd, addr);
  }
  return peer;
}

void Peers::send(OsdId osd, const EntityAddr& addr, msg::RawMessage message) {
  const Peer& to = peer(osd, addr);
  if (to.connection) to.connection->send(std::move(message));
}

void Peers::opened(const messenger::ConnectionRef& connection) {
  for (auto& [osd, peer] : peers_)
    if (peer.connection == connection) {
      peer.failures = 0;
      peer.open = true;
      return;
    }
  if (connection->peer().type != EntityType::kOsd) return;
  auto& incoming = incoming_[static_cast<OsdId>(connection->peer().num)];
  if (incoming) incoming->close();
  incoming = connection;
}

void Peers::ping(Duration grace) {
  const TimePoint now = runtime_.clock().now();
  for (auto& [osd, peer] : peers_) {
    if (!peer.connection || !peer.open) continue;
    const Duration silent = now - peer.connection->last_keepalive_ack();
    if (silent > grace) hooks_.unreachable(osd, peer.addr, false, silent);
    peer.connection->keepalive();
  }
}

bool Peers::reset(const messenger::ConnectionRef& connection) {
  constexpr Duration kFirst = 20ms, kMost = 1s;
  for (auto& [osd, peer] : peers_) {
    if (peer.connection != connection) continue;
    peer.connection.reset();
    const bool refused = !std::exchange(peer.open, false) && peer.failures;
    const Duration delay =
        std::min<Duration>(kMost, kFirst * (1u << std::min(peer.failures++, 6u)));
    peer.retry =
        runtime_.clock().call_after(runtime_.executor(), delay, [this, id = osd] { retry(id); });
    if (refused) hooks_.unreachable(osd, peer.addr, true, {});
    return true;
  }
  std::erase_if(incoming_, [&](const auto& i) { return i.second == connection; });
  return false;
}

void Peers::retry(OsdId osd) {
  auto it = peers_.find(osd);
  if (it == peers_.end() || it->second.connection) return;
  it->second.connection = messenger_.connect(EntityType::kOsd, it->second.addr);
  hooks_.on_reset(osd);
}

void Peers::forget(OsdId osd) {
  if (const auto in = incoming_.find(osd); in != incoming_.end()) {
    in->second->close();
    incoming_.erase(in);
  }
  auto it = peers_.find(osd);
  if (it == peers_.end()) return;
  if (it->second.connection) it->second.connection->close();
  peers_.erase(it);
}

}  // namespace plimsoll::osd
