// SPDX-License-Identifier: LGPL-2.1-or-later
// Peers: one outgoing connection to each OSD that we have something to say to. What is sent while a
// connection cannot be made is lost; when it is worth another try, `on_reset` asks for everything
// that is outstanding to be sent again. Who refuses connections, or is silent for long, is
// reported. On the main executor.
//
// Of the connections that an OSD makes to us only the newest counts, and none once it is down: what
// an older one still carries never arrives, so that nothing is taken twice and no forgotten loan is
// spent.
#pragma once

#include <functional>
#include <map>

#include "common/messenger/messenger.h"
#include "common/rt/runtime.h"

namespace plimsoll::osd {

class Peers {
 public:
  struct Hooks {
    std::function<void(OsdId)> on_reset;
    std::function<void(OsdId, const EntityAddr&, bool refused, Duration silent)> unreachable;
  };
  Peers(Runtime& runtime, messenger::Messenger& messenger, Hooks hooks)
      : runtime_(runtime), messenger_(messenger), hooks_(std::move(hooks)) {}

  /// Connects where needed; an address that differs from the last one is another incarnation.
  void send(OsdId osd, const EntityAddr& addr, msg::RawMessage message);
  /// Connects, so that ping() includes it.
  void watch(OsdId osd, const EntityAddr& addr) { peer(osd, addr); }
  void opened(const messenger::ConnectionRef& connection);
  /// True where the connection was one of ours.
  bool reset(const messenger::ConnectionRef& connection);
  /// Asks all whether they are there; reports who has not answered for `grace`.
  void ping(Duration grace);
  /// The OSD is down: no more tries, and nothing more from it.
  void forget(OsdId osd);
  void clear() {
    peers_.clear();
    incoming_.clear();
  }
  size_t size() const { return peers_.size(); }

 private:
  struct Peer {
    EntityAddr addr;
    messenger::ConnectionRef connection;  ///< null while waiting for the next try
    bool open = false;
    unsigned failures = 0;
    Timer retry;
  };
  Peer& peer(OsdId osd, const EntityAddr& addr);
  void retry(OsdId osd);

  Runtime& runtime_;
  messenger::Messenger& messenger_;
  const Hooks hooks_;
  std::map<OsdId, Peer> peers_;
  std::map<OsdId, messenger::ConnectionRef> incoming_;
};

}  // namespace plimsoll::osd
