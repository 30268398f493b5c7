// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/auth_service.h"

#include "common/wire/codec.h"

namespace plimsoll::mon {

static constexpr char kKey[] = "auth/global_ids";

Task<Result<>> AuthService::load() {
  CO_TRY(stored, co_await consensus_.get(kKey));
  if (stored) {
    ByteReader r(Bytes::take(std::move(*stored)));
    next_ = end_ = r.u64();
    if (!r.ok()) co_return fail(EIO, "damaged record of global ids");
  }
  co_return co_await reserve();
}

Task<Result<>> AuthService::reserve() {
  ByteWriter w;
  w.u64(end_ + kRange);
  KvBatch batch;
  batch.put(kKey, w.take_string());
  CO_TRY(version, co_await consensus_.propose(std::move(batch)));
  static_cast<void>(version);
  end_ += kRange;
  co_return Result<>();
}

Task<void> AuthService::tick() {
  if (end_ - next_ > kRange / 2) co_return;
  const Result<> more = co_await reserve();
  static_cast<void>(more);  // The next tick tries again; meanwhile half a range is left.
}

}  // namespace plimsoll::mon
