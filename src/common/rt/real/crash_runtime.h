// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests: the real runtime with its block files and RocksDB on a CrashDisk. Syncs cost nothing:
// what is durable stands in the CrashDisk.
#pragma once

#include "common/rt/real/crash_disk.h"
#include "common/rt/real/real_runtime.h"

namespace rocksdb {
class Env;
}

namespace plimsoll::real {

class CrashRuntime : public RealRuntime {
 public:
  explicit CrashRuntime(CrashDisk& disk);
  Task<Result<std::unique_ptr<BlockFile>>> open_block_file(std::string path,
                                                           BlockFileOptions options) override;
  Task<Result<std::unique_ptr<Kv>>> open_kv(std::string path, KvOptions options) override;

 private:
  CrashDisk& disk_;
  const std::shared_ptr<rocksdb::Env> env_;
};

}  // namespace plimsoll::real
