// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/workload.h"

#include <fmt/format.h>

#include <charconv>

namespace plimsoll::sim {

using msg::OpCode;
using Kind = RegisterOp::Kind;

namespace {

constexpr size_t kHeader = 18;  ///< "%08x:%08x:"

char filler(char32_t id, size_t at) { return static_cast<char>('a' + (id * 31 + at * 7) % 26); }

std::optional<uint32_t> hex(std::string_view text) {
  uint32_t v = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v, 16);
  if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

}  // namespace

std::string piece_bytes(char32_t id, size_t size) {
  CHECK(size >= kHeader);
  std::string out = fmt::format("{:08x}:{:08x}:", uint32_t(id), size);
  out.resize(size);
  for (size_t i = kHeader; i < size; i++) out[i] = filler(id, i);
  return out;
}

std::optional<std::u32string> parse_pieces(std::string_view data) {
  std::u32string out;
  while (!data.empty()) {
    if (data.size() < kHeader) return std::nullopt;
    const auto id = hex(data.substr(0, 8)), size = hex(data.substr(9, 8));
    if (!id || !size || *size < kHeader || *size > data.size()) return std::nullopt;
    for (size_t i = kHeader; i < *size; i++)
      if (data[i] != filler(*id, i)) return std::nullopt;
    out.push_back(*id);
    data.remove_prefix(*size);
  }
  return out;
}

Workload::Workload(Runtime& runtime, rados::RadosClient& client, PoolId pool, History& history,
                   WorkloadOptions options)
    : runtime_(runtime),
      client_(client),
      pool_(pool),
      history_(history),
      name_(history.new_client()),
      options_(options),
      rng_(runtime.rng().fork()),
      group_(runtime.executor()) {}

void Workload::start() {
  for (int i = 0; i < options_.tasks; i++) group_.spawn(run_task());
}

Kind Workload::draw_kind() {
  const uint64_t dice = rng_.below(100);
  return dice < 30   ? Kind::kWrite
         : dice < 50 ? Kind::kAppend
         : dice < 60 ? Kind::kDelete
         : dice < 65 ? Kind::kCreate
         : dice < 75 ? Kind::kStat
                     : Kind::kRead;
}

Task<void> Workload::run_task() {
  for (int i = 0; i < options_.operations && !finishing_; i++) {
    RegisterOp op;
    op.kind = draw_kind();
    if (op.kind == Kind::kWrite || op.kind == Kind::kAppend) {
      op.piece = history_.new_piece();
      // Half are small: the deferred way into the store; the others go to new extents.
      op.size = std::max(kHeader, rng_.below(rng_.chance(0.5) ? 2000 : options_.max_piece));
    }
    const std::string object = fmt::format("object-{}", rng_.below(options_.objects));
    co_await run_one(object, op);
    co_await runtime_.clock().sleep(Duration(rng_.below(options_.think.count())));
  }
}

Task<void> Workload::run_one(std::string object, RegisterOp op) {
  op.client = name_;
  op.invoked = runtime_.clock().now().since_start;
  const size_t number = history_.begin(object, op);
  auto reply = co_await execute(object, op);
  op.returned = runtime_.clock().now().since_start;
  if (take_answer(object, op, reply)) history_.end(object, number, std::move(op));
}

Task<Result<rados::OpReply>> Workload::execute(const std::string& object, const RegisterOp& op) {
  rados::OpRequest request;
  request.aim.oid = object;
  request.aim.locator.pool = pool_;
  request.aim.flags = op.changes() ? msg::kReqWrite : msg::kReqRead;
  msg::Extent extent;
  extent.length = op.size;
  switch (op.kind) {
    case Kind::kWrite:
    case Kind::kAppend:
      request.ops.emplace_back(op.kind == Kind::kWrite ? OpCode::kWriteFull : OpCode::kAppend,
                               extent, Bytes::take(piece_bytes(op.piece, op.size)));
      break;
    case Kind::kRead: request.ops.emplace_back(OpCode::kRead, extent, Bytes()); break;
    case Kind::kDelete: request.ops.emplace_back(OpCode::kDelete); break;
    case Kind::kStat: request.ops.emplace_back(OpCode::kStat); break;
    case Kind::kCreate:
      request.ops.emplace_back(OpCode::kCreate).flags = msg::kOpExclusive;
      break;
  }
  request.timeout = options_.patience;
  return client_.objecter().execute(std::move(request));
}

bool Workload::take_answer(const std::string& object, RegisterOp& op,
                           const Result<rados::OpReply>& reply) {
  const int32_t result = reply ? reply->result : reply.error().wire();
  if (options_.eio && result == -EIO) return false;
  if (options_.patience > 0ns && result == -ETIMEDOUT) return false;
  const bool absent = result == -ENOENT, present = result == -EEXIST;
  const bool may_be_absent = op.kind != Kind::kWrite && op.kind != Kind::kAppend;
  const bool answer = reply && (result >= 0 || (absent && may_be_absent) ||
                                (present && op.kind == Kind::kCreate));
  auto complain = [&](const std::string& what) {
    history_.complain(fmt::format("{}: {}: {}", object, op.to_string(), what));
    return false;
  };
  if (!answer) return complain(fmt::format("answer {}", result));
  op.existed = op.kind == Kind::kCreate ? present : !absent;
  if (result < 0) return true;
  const std::string_view data = reply->ops.at(0).outdata.view();
  if (op.kind == Kind::kRead) op.seen = parse_pieces(data);
  if (op.kind == Kind::kRead && !op.seen) return complain("damaged data");
  if (op.kind == Kind::kStat) op.size = ByteReader(reply->ops.at(0).outdata).u64();
  return true;
}

Task<void> Workload::read_back() {
  for (int i = 0; i < options_.objects; i++)
    co_await run_one(fmt::format("object-{}", i), RegisterOp());
}

}  // namespace plimsoll::sim
