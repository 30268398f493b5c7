// SPDX-License-Identifier: LGPL-2.1-or-later
// What kv_suite.h and block_suite.h need of the runtime under test. The suites hold the contracts
// of Kv and BlockFile as tests; rt/real and qa/sim instantiate the same ones for their
// implementations.
#pragma once

#include <string>

#include "common/rt/runtime.h"

namespace plimsoll {

struct StorageHost {
  virtual ~StorageHost() = default;
  virtual Runtime& runtime() = 0;
  /// Runs `task` on the runtime's executor() to its end.
  virtual void run(Task<void> task) = 0;
  /// A path in a directory of this host's own.
  virtual std::string path(const std::string& name) = 0;
};

}  // namespace plimsoll
