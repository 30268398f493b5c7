// SPDX-License-Identifier: LGPL-2.1-or-later
// SimClient: our RADOS client on a simulated host, with what it needs around it.
#pragma once

#include "common/messenger/auth_none.h"
#include "common/rados/rados_client.h"
#include "qa/sim/world.h"

namespace plimsoll::sim {

struct SimClient {
  /// `conf`: ceph.conf, which must be valid.
  SimClient(Runtime& runtime, const std::string& conf);

  config::Config config;
  messenger::AuthNone auth;
  rados::RadosClient rados;
};

}  // namespace plimsoll::sim
