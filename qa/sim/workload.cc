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
  size = std::max(size, kHeader);
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

Workload::Workload(Runtime& runtime, rados::RadosClient& client, PoolId pool,
                   WorkloadOptions options)
    : runtime_(runtime),
      client_(client),
      pool_(pool),
      options_(options),
      rng_(runtime.rng().fork()),
      group_(runtime.executor()) {}

void Workload::start() {
  for (int i = 0; i < options_.tasks; i++) group_.spawn(run_task());
}

Task<void> Workload::run_task() {
  for (int i = 0; i < options_.operations && !finishing_; i++) {
    RegisterOp op;
    const uint64_t dice = rng_.below(100);
    op.kind = dice < 35   ? Kind::kWrite
              : dice < 55 ? Kind::kAppend
              : dice < 65 ? Kind::kDelete
                          : Kind::kRead;
    if (op.kind == Kind::kWrite || op.kind == Kind::kAppend) op.piece = next_piece_++;
    // Half are small: the deferred way into the store; the others go to new extents.
    const size_t size = rng_.below(rng_.chance(0.5) ? 2000 : options_.max_piece);
    const std::string object = fmt::format("object-{}", rng_.below(options_.objects));
    co_await run_one(object, op, size);
    co_await runtime_.clock().sleep(Duration(rng_.below(options_.think.count())));
  }
}

Task<void> Workload::run_one(std::string object, RegisterOp op, size_t size) {
  op.invoked = runtime_.clock().now().since_start;
  auto reply = co_await execute(object, op, size);
  if (reply) op.returned = runtime_.clock().now().since_start;
  take_answer(object, std::move(op), reply);
}

Task<Result<rados::OpReply>> Workload::execute(const std::string& object, const RegisterOp& op,
                                               size_t size) {
  rados::OpRequest request;
  request.aim.oid = object;
  request.aim.locator.pool = pool_;
  request.aim.flags = op.kind == Kind::kRead ? msg::kReqRead : msg::kReqWrite;
  msg::Extent extent;
  std::string data;
  if (op.piece) data = piece_bytes(op.piece, size);
  extent.length = data.size();
  const OpCode code = op.kind == Kind::kWrite    ? OpCode::kWriteFull
                      : op.kind == Kind::kAppend ? OpCode::kAppend
                      : op.kind == Kind::kDelete ? OpCode::kDelete
                                                 : OpCode::kRead;
  if (op.kind == Kind::kDelete) request.ops.emplace_back(code);
  else request.ops.emplace_back(code, extent, Bytes::take(std::move(data)));
  return client_.objecter().execute(std::move(request));
}

void Workload::take_answer(const std::string& object, RegisterOp op,
                           const Result<rados::OpReply>& reply) {
  const int32_t result = reply ? reply->result : reply.error().wire();
  const bool absent = reply && result == -ENOENT;
  const bool may_be_absent = op.kind == Kind::kDelete || op.kind == Kind::kRead;
  if (!reply || (result < 0 && !(absent && may_be_absent)))
    wrong_.push_back(fmt::format("{}: {}: answer {}", object, op.to_string(), result));
  op.existed = !absent;
  if (reply && op.kind != Kind::kRead) acknowledged_++;
  if (op.kind == Kind::kRead && reply && result >= 0) {
    op.seen = parse_pieces(reply->ops.at(0).outdata.view());
    if (!op.seen) wrong_.push_back(fmt::format("{}: {}: damaged data", object, op.to_string()));
  }
  histories_[object].push_back(std::move(op));
}

Task<void> Workload::read_back() {
  for (int i = 0; i < options_.objects; i++)
    co_await run_one(fmt::format("object-{}", i), RegisterOp(), 0);
}

std::vector<std::string> Workload::check() const {
  std::vector<std::string> out = wrong_;
  for (const auto& [object, history] : histories_)
    if (auto trouble = check_register(history)) out.push_back(object + ": " + *trouble);
  return out;
}

size_t Workload::operations() const {
  size_t sum = 0;
  for (const auto& [object, history] : histories_) sum += history.size();
  return sum;
}

}  // namespace plimsoll::sim
