// SPDX-License-Identifier: LGPL-2.1-or-later
// AuthNone: everyone is whom he says. A monitor gives global ids to those who have none; all others
// take the one they are told.
#pragma once

#include <functional>

#include "common/messenger/auth.h"

namespace plimsoll::messenger {

class AuthNone : public Auth {
 public:
  /// Whom we say we are ("client", "admin"). `assign_global_id` is a monitor's.
  AuthNone(EntityType type, std::string id, std::function<uint64_t()> assign_global_id = {})
      : type_(type), id_(std::move(id)), assign_(std::move(assign_global_id)) {}

  std::vector<uint32_t> methods() const override { return {kAuthMethodNone}; }
  Result<AuthResult> accept(uint32_t method, const Bytes& payload) override;
  Bytes request(EntityType peer_type, uint64_t global_id) override;

 private:
  EntityType type_;
  std::string id_;
  std::function<uint64_t()> assign_;
};

}  // namespace plimsoll::messenger
