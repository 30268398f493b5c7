// SPDX-License-Identifier: LGPL-2.1-or-later
// objecter-probe CONF POOL: our Objecter and MonClient against a running cluster, ours or real
// Ceph. Prints "ok NAME" for each thing shown and exits 0, or says what was not so and exits 1.
#include <fmt/core.h>

#include <algorithm>

#include "common/messenger/auth_none.h"
#include "common/rados/rados_client.h"
#include "common/rt/real/real_runtime.h"

namespace plimsoll {

namespace {

using msg::OpCode;
using msg::OsdOp;
using rados::OpReply;
using rados::OpRequest;

class Probe {
 public:
  Probe(Runtime& runtime, const config::Config& config, std::string pool)
      : runtime_(runtime),
        auth_(EntityType::kClient, "admin"),
        client_(runtime, config, auth_, EntityName{EntityType::kClient, -1}),
        pool_name_(std::move(pool)),
        tasks_(runtime.executor()) {}

  Task<Result<>> run();

 private:
  Task<Result<>> bytes();
  Task<Result<>> compound();
  Task<Result<>> parallel();
  Task<Result<>> listing();
  Task<Result<>> pause();
  Task<Result<>> cancel();
  Task<Result<>> missing_pool();

  OpRequest request(std::string oid, uint32_t flags) const;
  Task<Result<OpReply>> write_full(std::string oid, std::string data);
  Task<Result<std::string>> read(std::string oid);
  /// A monitor command of the form {"prefix": prefix, key: value}; EIO with its words when it
  /// fails.
  Task<Result<>> command(std::string prefix, std::string key, std::string value);
  Task<void> write_into(std::string oid, std::shared_ptr<OneShot<Result<OpReply>>> done);

  Runtime& runtime_;
  messenger::AuthNone auth_;
  rados::RadosClient client_;
  std::string pool_name_;
  PoolId pool_ = -1;
  TaskGroup tasks_;
};

Error wrong(std::string what) { return fail(EPROTO, std::move(what)); }

Task<Result<>> Probe::run() {
  CO_TRY_VOID(co_await client_.start(20s));
  const auto pool = client_.objecter().osdmap()->find_pool(pool_name_);
  if (!pool) co_return fail(ENOENT, "no pool " + pool_name_);
  pool_ = *pool;
  struct Step {
    const char* name;
    Task<Result<>> (Probe::*run)();
  };
  static constexpr Step kSteps[] = {{"bytes", &Probe::bytes},
                                    {"compound", &Probe::compound},
                                    {"parallel", &Probe::parallel},
                                    {"listing", &Probe::listing},
                                    {"pause", &Probe::pause},
                                    {"cancel", &Probe::cancel},
                                    {"missing pool", &Probe::missing_pool}};
  for (const Step& step : kSteps) {
    auto result = co_await (this->*step.run)();
    if (!result)
      co_return fail(result.error().code(),
                     fmt::format("{}: {}", step.name, result.error().text()));
    fmt::print("ok {}\n", step.name);
  }
  co_await tasks_.stop();
  co_await client_.stop();
  co_return Result<>();
}

OpRequest Probe::request(std::string oid, uint32_t flags) const {
  OpRequest r;
  r.aim.oid = std::move(oid);
  r.aim.locator.pool = pool_;
  r.aim.flags = flags;
  r.timeout = 30s;
  return r;
}

Task<Result<OpReply>> Probe::write_full(std::string oid, std::string data) {
  OpRequest r = request(std::move(oid), msg::kReqWrite);
  msg::Extent whole;
  whole.length = data.size();
  r.ops.emplace_back(OpCode::kWriteFull, whole, Bytes::take(std::move(data)));
  co_return co_await client_.objecter().execute(std::move(r));
}

Task<Result<std::string>> Probe::read(std::string oid) {
  OpRequest r = request(std::move(oid), msg::kReqRead);
  r.ops.emplace_back(OpCode::kRead, msg::Extent());
  CO_TRY(reply, co_await client_.objecter().execute(std::move(r)));
  if (reply.result < 0) co_return fail(-reply.result, "read");
  co_return reply.ops.at(0).outdata.to_string();
}

Task<Result<>> Probe::bytes() {
  const std::string small = "hello";
  std::string large(4 << 20, 'x');
  for (size_t i = 0; i < large.size(); i += 4096) large[i] = static_cast<char>(i >> 12);
  CO_TRY(first, co_await write_full("probe-small", small));
  if (first.result != 0 || first.user_version == 0) co_return wrong("a write has no version");
  CO_TRY(second, co_await write_full("probe-small", small));
  if (second.user_version <= first.user_version) co_return wrong("versions do not grow");
  CO_TRY_VOID(co_await write_full("probe-large", large));
  CO_TRY(small_back, co_await read("probe-small"));
  CO_TRY(large_back, co_await read("probe-large"));
  if (small_back != small || large_back != large)
    co_return wrong("read other bytes than were written");
  auto absent = co_await read("probe-absent");
  if (absent || absent.error().code() != ENOENT) co_return wrong("an absent object is not ENOENT");
  co_return Result<>();
}

Task<Result<>> Probe::compound() {
  // The second operation fails, so the first must not have happened.
  OpRequest r = request("probe-compound", msg::kReqWrite);
  r.ops.emplace_back(OpCode::kWriteFull, msg::Extent(), Bytes::literal("never"));
  OsdOp create(OpCode::kCreate);
  create.flags = msg::kOpExclusive;
  CO_TRY_VOID(co_await write_full("probe-compound", "before"));
  r.ops.insert(r.ops.begin(), create);
  CO_TRY(reply, co_await client_.objecter().execute(std::move(r)));
  if (reply.result != -EEXIST) co_return wrong(fmt::format("exclusive create: {}", reply.result));
  CO_TRY(kept, co_await read("probe-compound"));
  if (kept != "before") co_return wrong("a failed operation left something behind");
  co_return Result<>();
}

Task<void> Probe::write_into(std::string oid, std::shared_ptr<OneShot<Result<OpReply>>> done) {
  done->set(co_await write_full(oid, oid));
}

Task<Result<>> Probe::parallel() {
  std::vector<std::shared_ptr<OneShot<Result<OpReply>>>> all;
  for (int i = 0; i < 200; i++) {
    all.push_back(std::make_shared<OneShot<Result<OpReply>>>());
    tasks_.spawn(write_into(fmt::format("probe-many-{}", i), all.back()));
  }
  for (auto& one : all) {
    CO_TRY(reply, co_await one->wait());
    if (reply.result != 0) co_return wrong(fmt::format("write: {}", reply.result));
  }
  co_return Result<>();
}

Task<Result<>> Probe::listing() {
  std::set<std::string> found;
  const uint32_t pg_num = client_.objecter().osdmap()->pool(pool_)->pg_num;
  for (uint32_t seed = 0; seed < pg_num; seed++) {
    HObject cursor;
    for (bool more = true; more;) {
      OpRequest r = request("", msg::kReqRead | msg::kReqPgOp);
      r.aim.locator.hash = seed;
      msg::PgLsArgs page;
      page.count = 7;
      r.ops.emplace_back(OpCode::kPgLs, page, wire::to_bytes(cursor));
      CO_TRY(reply, co_await client_.objecter().execute(std::move(r)));
      if (reply.result < 0) co_return fail(-reply.result, "listing");
      more = reply.result == 0;
      ByteReader in(reply.ops.at(0).outdata);
      auto entries = [&](uint8_t) {
        wire::decode(cursor, in);
        for (uint32_t n = in.count(12); n; n--) {
          in.str();
          found.insert(in.str());
          in.str();
        }
      };
      wire::disclose(in, {1, 1}, entries);
      if (!in.ok()) co_return wrong("a listing that cannot be read");
    }
  }
  for (int i = 0; i < 200; i++)
    if (!found.contains(fmt::format("probe-many-{}", i)))
      co_return wrong("an object is not listed");
  co_return Result<>();
}

Task<Result<>> Probe::command(std::string prefix, std::string key, std::string value) {
  std::string json = fmt::format(R"({{"prefix": "{}", "{}": "{}"}})", prefix, key, value);
  CO_TRY(reply, co_await client_.monitors().command(std::move(json), Bytes(), 20s));
  if (reply.retval < 0) co_return fail(EIO, prefix + ": " + reply.outs);
  co_return Result<>();
}

/// Under the cluster's pause flag a write waits unsent, and goes out by itself when the flag goes.
Task<Result<>> Probe::pause() {
  CO_TRY_VOID(co_await command("osd set", "key", "pause"));
  CO_TRY_VOID(co_await client_.objecter().wait_for_latest_map());
  const uint64_t sent = client_.objecter().stats().sent;
  auto done = std::make_shared<OneShot<Result<OpReply>>>();
  tasks_.spawn(write_into("probe-paused", done));
  co_await runtime_.clock().sleep(500ms);
  if (done->is_set() || client_.objecter().stats().sent != sent)
    co_return wrong("a paused write was sent");
  CO_TRY_VOID(co_await command("osd unset", "key", "pause"));
  CO_TRY(reply, co_await done->wait());
  if (reply.result != 0) co_return wrong(fmt::format("after the pause: {}", reply.result));
  co_return Result<>();
}

/// A cancelled write ends with the error given, and the barrier is the epoch in force.
Task<Result<>> Probe::cancel() {
  CO_TRY_VOID(co_await command("osd set", "key", "pause"));
  CO_TRY_VOID(co_await client_.objecter().wait_for_latest_map());
  auto done = std::make_shared<OneShot<Result<OpReply>>>();
  tasks_.spawn(write_into("probe-cancelled", done));
  co_await runtime_.clock().sleep(100ms);
  const Epoch now = client_.objecter().osdmap()->epoch;
  const Epoch barrier = client_.objecter().cancel_writes(fail(ENOSPC, "cancelled"), pool_);
  auto result = co_await done->wait();
  if (result || result.error().code() != ENOSPC)
    co_return wrong("a cancelled write did not say ENOSPC");
  if (barrier != now) co_return wrong(fmt::format("barrier {} at epoch {}", barrier, now));
  client_.objecter().set_epoch_barrier(barrier + 1);
  CO_TRY_VOID(co_await command("osd unset", "key", "pause"));
  // Held back until the map that the unset makes: barrier + 1 at least.
  auto absent = co_await read("probe-cancelled");
  if (absent || absent.error().code() != ENOENT) co_return wrong("a cancelled write landed");
  if (client_.objecter().osdmap()->epoch <= barrier)
    co_return wrong("an operation ran below the barrier");
  co_return Result<>();
}

Task<Result<>> Probe::missing_pool() {
  OpRequest r = request("x", msg::kReqRead);
  r.aim.locator.pool = 4711;
  r.ops.emplace_back(OpCode::kStat);
  auto reply = co_await client_.objecter().execute(std::move(r));
  if (reply || reply.error().code() != ENOENT) co_return wrong("a missing pool is not ENOENT");
  co_return Result<>();
}

Task<void> run_probe(Probe& probe, int& code) {
  auto result = co_await probe.run();
  if (!result) fmt::print(stderr, "not so: {}\n", result.error().to_string());
  code = result ? 0 : 1;
}

int probe_main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: {} CONF POOL\n", argv[0]);
    return 2;
  }
  real::RealRuntime runtime;
  config::Config config;
  auto text = runtime.read_file(argv[1]);
  auto conf = text ? config::ConfFile::parse(argv[1], *text) : text.error();
  auto applied = conf ? config.apply_file(*conf) : conf.error();
  if (!applied) {
    fmt::print(stderr, "{}\n", applied.error().to_string());
    return 2;
  }
  int code = 1;
  Probe probe(runtime, config, argv[2]);
  runtime.run(run_probe(probe, code));
  // A failed step leaves tasks behind; the process ends with them.
  std::fflush(stdout);
  if (code) std::_Exit(code);
  return code;
}

}  // namespace

}  // namespace plimsoll

int main(int argc, char** argv) { return plimsoll::probe_main(argc, argv); }
