// SPDX-License-Identifier: LGPL-2.1-or-later
// RocksDB as a Kv. Only this and the rocks_ files beside it know it.
#pragma once

#include <memory>
#include <string>

#include "common/rt/runtime.h"

namespace rocksdb {
class Env;
}

namespace plimsoll::real {

class ThreadPool;

/// Blocks. ENOENT where there is no store, EEXIST where there must be none, EBUSY where another
/// process has it open, EIO where it is damaged. Tests give a `host` of their own, which outlives
/// it.
Result<std::unique_ptr<Kv>> open_rocks_kv(ThreadPool& pool, const std::string& path,
                                          KvOptions options, rocksdb::Env* host = nullptr);

}  // namespace plimsoll::real
