// SPDX-License-Identifier: LGPL-2.1-or-later
// PatientFile: a block file on a host that may be full. The blocks of a preallocated file are its
// own, so nothing ever waits; those of a sparse one, or on a file system that copies on write, are
// wanted when they are written, which is too late to refuse. Then the ballast pays, or the write
// waits for room.
#pragma once

#include "common/rt/ballast.h"
#include "common/rt/block_file.h"
#include "common/rt/clock.h"

namespace plimsoll::osd {

class PatientFile final : public BlockFile {
 public:
  PatientFile(std::unique_ptr<BlockFile> file, Ballast& ballast, Clock& clock)
      : file_(std::move(file)), ballast_(ballast), clock_(clock) {}

  uint64_t size() const override { return file_->size(); }
  Task<Result<Bytes>> read(uint64_t offset, size_t length) override {
    return file_->read(offset, length);
  }
  Task<Result<>> write(uint64_t offset, std::vector<Bytes> pieces) override;
  Task<Result<>> write_durable(uint64_t offset, Bytes data) override;
  Task<Result<>> sync() override { return file_->sync(); }

 private:
  /// Whether a write that ended so is worth another attempt; waits before it where it must.
  Task<bool> again(const Result<>& done, uint64_t length);

  const std::unique_ptr<BlockFile> file_;
  Ballast& ballast_;
  Clock& clock_;
};

}  // namespace plimsoll::osd
