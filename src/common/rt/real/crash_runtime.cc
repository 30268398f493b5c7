// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/rt/real/crash_runtime.h"

#include "common/rt/real/rocks_crash_env.h"
#include "common/rt/real/rocks_kv.h"

namespace plimsoll::real {

namespace {

Error no_power() { return fail(EIO, "power was cut"); }

class CrashBlock : public BlockFile {
 public:
  CrashBlock(std::unique_ptr<BlockFile> real, CrashDisk& disk, CrashDisk::FileRef file)
      : real_(std::move(real)), disk_(disk), file_(std::move(file)) {}

  uint64_t size() const override { return real_->size(); }
  Task<Result<Bytes>> read(uint64_t offset, size_t length) override {
    return real_->read(offset, length);
  }
  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override {
    std::string data;
    for (const auto& p : pieces) data += p.view();
    CrashDisk::WriteRef write;
    if (!disk_.begin_write(*file_, offset, std::move(data), write)) co_return no_power();
    auto done = co_await real_->write(offset, std::move(pieces));
    disk_.end_write(write);
    co_return done;
  }
  Task<Result<>> write_durable(uint64_t offset, Bytes data) override {
    CrashDisk::WriteRef write;
    if (!disk_.begin_write(*file_, offset, std::string(data.view()), write)) co_return no_power();
    std::vector<Bytes> pieces(1, std::move(data));
    CO_TRY_VOID(co_await real_->write(offset, std::move(pieces)));
    if (!disk_.sync(*file_, write)) co_return no_power();
    co_return Result<>();
  }
  Task<Result<>> sync() override {
    if (!disk_.sync(*file_)) co_return no_power();
    co_return Result<>();
  }

 private:
  const std::unique_ptr<BlockFile> real_;
  CrashDisk& disk_;
  const CrashDisk::FileRef file_;
};

}  // namespace

CrashRuntime::CrashRuntime(CrashDisk& disk) : disk_(disk), env_(make_crash_env(disk)) {}

Task<Result<std::unique_ptr<BlockFile>>> CrashRuntime::open_block_file(std::string path,
                                                                       BlockFileOptions options) {
  CO_TRY(real, co_await RealRuntime::open_block_file(path, options));
  co_return std::make_unique<CrashBlock>(std::move(real), disk_, disk_.open(path));
}

Task<Result<std::unique_ptr<Kv>>> CrashRuntime::open_kv(std::string path, KvOptions options) {
  auto open = [this, &path, options] { return open_rocks_kv(pool_, path, options, env_.get()); };
  co_return co_await offload(pool_, open);
}

}  // namespace plimsoll::real
