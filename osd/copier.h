// SPDX-License-Identifier: LGPL-2.1-or-later
// Copier: fetches objects from wherever they are, as a client of the OSD's own cluster. It connects
// at the first copy. Copies have a time limit, since two that wait for each other's objects would
// else wait for ever.
#pragma once

#include <memory>

#include "common/messenger/auth_none.h"
#include "common/rados/rados_client.h"
#include "osd/ops/copy_source.h"

namespace plimsoll::osd {

class Copier final : public CopySource {
 public:
  Copier(Runtime& runtime, const config::Config& config);

  Task<Result<ObjectCopy>> fetch(ObjectLocator from, std::string oid, uint64_t max_bytes) override;
  Task<void> stop();

 private:
  /// Requests that copy do not count against what the OSD accepts; these bound them instead.
  static constexpr uint64_t kAtWork = 4;
  static constexpr size_t kMostCopies = 1024;

  /// On Runtime::executor().
  Task<Result<ObjectCopy>> fetch_here(ObjectLocator from, std::string oid, uint64_t max_bytes);
  Task<Result<ObjectCopy>> fetch_object(ObjectLocator from, std::string oid, uint64_t max_bytes);
  Task<Result<>> connect();
  Task<Result<rados::OpReply>> read(const rados::Aim& aim, std::vector<msg::OsdOp> ops);

  Runtime& runtime_;
  const config::Config& config_;
  messenger::AuthNone auth_;
  AsyncMutex connecting_;
  Semaphore at_work_{kAtWork};
  size_t copies_ = 0;
  std::unique_ptr<rados::RadosClient> client_;
};

}  // namespace plimsoll::osd
