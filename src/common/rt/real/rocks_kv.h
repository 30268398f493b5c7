// SPDX-License-Identifier: LGPL-2.1-or-later
// RocksDB as a Kv: the only place that knows it.
#pragma once

#include <memory>
#include <string>

#include "common/rt/runtime.h"

namespace plimsoll::real {

class ThreadPool;

/// Blocks. ENOENT where there is no store, EEXIST where there must be none, EBUSY where another
/// process has it open, EIO where it is damaged.
Result<std::unique_ptr<Kv>> open_rocks_kv(ThreadPool& pool, const std::string& path,
                                          KvOptions options);

}  // namespace plimsoll::real
