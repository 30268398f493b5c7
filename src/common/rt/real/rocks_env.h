// SPDX-License-Identifier: LGPL-2.1-or-later
// What our RocksDB sees of the host. With a ballast, RocksDB never learns that the host is full: a
// write, sync or new file that finds no room releases some of the ballast and goes on, on the
// thread that needs it, and with nothing left waits there while the ballast is patient. That is
// simpler than letting it fail and recover: a failed flush stops everything, and a recovery that
// runs out of room again never returns (7.8).
#pragma once

#include <rocksdb/env.h>

#include "common/rt/ballast.h"

namespace plimsoll::real {

class RocksEnv : public rocksdb::EnvWrapper {
 public:
  /// `ballast` may be null.
  RocksEnv(rocksdb::Env* base, Ballast* ballast) : rocksdb::EnvWrapper(base), ballast_(ballast) {}
  const char* Name() const override { return "plimsoll.RocksEnv"; }

  /// Without a ballast RocksDB would poll a full host every five seconds by itself and refuse
  /// Resume() meanwhile; without an answer here it leaves the recovery to us, who know at once when
  /// space was freed.
  rocksdb::Status GetFreeSpace(const std::string&, uint64_t*) override {
    return rocksdb::Status::NotSupported();
  }
  rocksdb::Status NewWritableFile(const std::string& name,
                                  std::unique_ptr<rocksdb::WritableFile>* result,
                                  const rocksdb::EnvOptions& options) override;
  rocksdb::Status ReuseWritableFile(const std::string& name, const std::string& old_name,
                                    std::unique_ptr<rocksdb::WritableFile>* result,
                                    const rocksdb::EnvOptions& options) override;
  rocksdb::Status RenameFile(const std::string& from, const std::string& to) override;

 private:
  Ballast* const ballast_;
};

}  // namespace plimsoll::real
