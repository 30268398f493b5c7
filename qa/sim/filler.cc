// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/filler.h"

#include <fmt/format.h>

#include "common/base/units.h"

namespace plimsoll::sim {

using msg::OpCode;

namespace {

constexpr size_t kTurns = 4;

}  // namespace

Filler::Filler(Runtime& runtime, rados::RadosClient& client, PoolId pool)
    : client_(client), pool_(pool), group_(runtime.executor()) {}

Task<void> Filler::run() {
  while (!finishing_ && turns_ < kTurns) {
    std::string name = fmt::format("fill-{}", number_++);
    const int32_t r = co_await write(name);
    if (r == 0) {
      objects_.push_back(std::move(name));
      continue;
    }
    if (r != -ENOSPC) wrong_.push_back(fmt::format("{}: answer {}", name, r));
    turns_++;
    co_await remove_until(objects_.size() / 4);
  }
  co_await remove_until(0);
}

Task<int32_t> Filler::write(std::string object) {
  Bytes data = Bytes::zeros(768_KiB);
  co_return co_await execute(std::move(object), OpCode::kWriteFull, std::move(data),
                             msg::kReqFullTry);
}

Task<void> Filler::remove_until(size_t left) {
  while (objects_.size() > left) {
    const int32_t r =
        co_await execute(objects_.front(), OpCode::kDelete, Bytes(), msg::kReqFullForce);
    if (r != 0) wrong_.push_back(fmt::format("delete of {}: answer {}", objects_.front(), r));
    objects_.pop_front();
  }
}

Task<int32_t> Filler::execute(std::string object, OpCode code, Bytes data, uint32_t flag) {
  rados::OpRequest request;
  request.aim.oid = std::move(object);
  request.aim.locator.pool = pool_;
  request.aim.flags = msg::kReqWrite | flag;
  msg::Extent extent;
  extent.length = data.size();
  if (code == OpCode::kDelete)
    request.ops.emplace_back(code);
  else
    request.ops.emplace_back(code, extent, std::move(data));
  auto reply = co_await client_.objecter().execute(std::move(request));
  co_return reply ? reply->result : reply.error().wire();
}

}  // namespace plimsoll::sim
