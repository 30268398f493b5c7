// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests: an Env for RocksDB whose files lie on a CrashDisk.
#pragma once

#include <memory>

#include "common/rt/real/crash_disk.h"

namespace rocksdb {
class Env;
}

namespace plimsoll::real {

/// `disk` outlives it.
std::shared_ptr<rocksdb::Env> make_crash_env(CrashDisk& disk);

}  // namespace plimsoll::real
