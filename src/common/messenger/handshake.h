// SPDX-License-Identifier: LGPL-2.1-or-later
// The handshake (wire.md 2.4), either side of it: from the banner to the idents, over a stream that
// nothing else uses yet. What may follow is messages.
#pragma once

#include "common/messenger/auth.h"
#include "common/messenger/frame_reader.h"
#include "common/messenger/handshake_frames.h"

namespace plimsoll::messenger {

struct HandshakeSelf {
  EntityName name;
  EntityAddr addr;     ///< where we listen; blank for a pure client
  uint32_t nonce = 0;  ///< of this incarnation, for those who do not listen
  uint64_t global_seq = 0;
  Auth& auth;
};

/// What a handshake found out.
struct Established {
  EntityName peer;
  EntityAddr peer_addr;
  AuthResult auth;        ///< as a client: what we were let in as, with the global id given to us
  uint64_t features = 0;  ///< common ones
};

/// Every failure's text says at which step.
Task<Result<Established>> accept_handshake(Stream& stream, FrameReader& reader,
                                           const HandshakeSelf& self);
/// EADDRNOTAVAIL: somebody else answers at `to`.
Task<Result<Established>> connect_handshake(Stream& stream, FrameReader& reader,
                                            const HandshakeSelf& self, EntityType peer_type,
                                            const EntityAddr& to);

}  // namespace plimsoll::messenger
