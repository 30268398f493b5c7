// SPDX-License-Identifier: LGPL-2.1-or-later
// Auth: the step of the handshake that says who the peer is. AuthNone lets everyone be whom he
// says; cephx will stand behind the same interface. The exchange is blobs in AUTH_* frames.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/wire/types.h"

namespace plimsoll::messenger {

inline constexpr uint32_t kAuthMethodNone = 1;
inline constexpr uint32_t kAuthMethodCephx = 2;
inline constexpr uint32_t kConModeCrc = 1;
inline constexpr uint32_t kConModeSecure = 2;

struct AuthResult {
  EntityType type = EntityType::kNone;
  std::string id;  ///< "admin" of client.admin
  uint64_t global_id = 0;
};

class Auth {
 public:
  virtual ~Auth() = default;
  /// Methods we accept, best first; what AUTH_BAD_METHOD lists.
  virtual std::vector<uint32_t> methods() const = 0;
  /// Server side: judges an AUTH_REQUEST's payload. EOPNOTSUPP asks for another method.
  virtual Result<AuthResult> accept(uint32_t method, const Bytes& payload) = 0;
  /// Client side: the payload of AUTH_REQUEST to a peer of `peer_type`.
  virtual Bytes request(EntityType peer_type, uint64_t global_id) = 0;
};

}  // namespace plimsoll::messenger
