// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/messenger/auth_none.h"

namespace plimsoll::messenger {

namespace {

/// What the payload is: for a monitor a request to be let in, for others a proof of having been.
enum AuthMode : uint8_t { kAuthorizer = 1, kMon = 10 };

struct NonePayload {
  uint8_t mode = 0;
  uint32_t type = 0;
  std::string id;
  uint64_t global_id = 0;
  template <class F>
  void fields(F& f) {
    f("mode", mode);
    f("entity_type", type);
    f("entity_id", id);
    f("global_id", global_id);
  }
};

}  // namespace

Result<AuthResult> AuthNone::accept(uint32_t method, const Bytes& payload) {
  if (method != kAuthMethodNone)
    return fail(EOPNOTSUPP, "auth method " + std::to_string(method) + " is not supported");
  TRY(who, wire::from_bytes<NonePayload>(payload, "auth request"));
  if (who.mode != kAuthorizer && who.mode != kMon)
    return fail(EINVAL, "auth mode " + std::to_string(who.mode) + " is unknown");
  if (who.type == 0 || who.type > 0xff) return fail(EINVAL, "entity type is unknown");
  AuthResult result;
  result.type = static_cast<EntityType>(who.type);
  result.id = std::move(who.id);
  result.global_id = who.global_id;
  if (result.global_id == 0 && assign_) result.global_id = assign_();
  return result;
}

Bytes AuthNone::request(EntityType peer_type, uint64_t global_id) {
  NonePayload p;
  p.mode = peer_type == EntityType::kMon ? kMon : kAuthorizer;
  p.type = static_cast<uint32_t>(type_);
  p.id = id_;
  p.global_id = global_id;
  return wire::to_bytes(p);
}

}  // namespace plimsoll::messenger
