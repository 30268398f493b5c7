// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/copier.h"

#include "common/rt/run_on.h"

namespace plimsoll::osd {

namespace {

using msg::OpCode;
using msg::OsdOp;

constexpr Duration kTimeLimit = 30s;
constexpr uint64_t kDataPage = 8 << 20;
constexpr uint64_t kOmapPage = 1024;

OsdOp omap_page(const std::string& start_after) {
  ByteWriter w;
  w.blob(start_after);
  w.u64(kOmapPage);
  w.blob("");
  return OsdOp(OpCode::kOmapGetVals, w.take());
}

}  // namespace

Copier::Copier(Runtime& runtime, const config::Config& config)
    : runtime_(runtime), config_(config), auth_(EntityType::kClient, "copy") {}

Task<Result<ObjectCopy>> Copier::fetch(ObjectLocator from, std::string oid, uint64_t max_bytes) {
  auto task = fetch_here(std::move(from), std::move(oid), max_bytes);
  return run_on(runtime_.executor(), std::move(task));
}

Task<Result<>> Copier::connect() {
  auto turn = co_await connecting_.lock();
  if (client_) co_return Result<>();
  const EntityName nobody{EntityType::kClient, -1};
  auto client = std::make_unique<rados::RadosClient>(runtime_, config_, auth_, nobody);
  auto started = co_await client->start(kTimeLimit);
  if (!started) {
    co_await client->stop();
    co_return started.error();
  }
  client_ = std::move(client);
  co_return Result<>();
}

Task<void> Copier::stop() {
  // Stays until the end: copies that were cut short still unwind through it.
  if (client_) co_await client_->stop();
}

Task<Result<rados::OpReply>> Copier::read(const rados::Aim& aim, std::vector<OsdOp> ops) {
  rados::OpRequest request;
  request.aim = aim;
  request.ops = std::move(ops);
  request.timeout = kTimeLimit;
  CO_TRY(reply, co_await client_->objecter().execute(std::move(request)));
  if (reply.result < 0) co_return fail(-reply.result, "source of a copy");
  if (reply.ops.empty()) co_return fail(EIO, "the source of a copy answered nothing");
  co_return reply;
}

Task<Result<ObjectCopy>> Copier::fetch_here(ObjectLocator from, std::string oid,
                                            uint64_t max_bytes) {
  struct Copy {
    explicit Copy(Copier& c) : copier(c) { copier.copies_++; }
    ~Copy() {
      copier.copies_--;
      if (at_work) copier.at_work_.release(1);
    }
    Copier& copier;
    bool at_work = false;
  };
  if (copies_ >= kMostCopies) co_return fail(EBUSY, "too many copies");
  Copy copy(*this);
  co_await at_work_.acquire(1);
  copy.at_work = true;
  CO_TRY_VOID(co_await connect());
  co_return co_await fetch_object(std::move(from), std::move(oid), max_bytes);
}

Task<Result<ObjectCopy>> Copier::fetch_object(ObjectLocator from, std::string oid,
                                              uint64_t max_bytes) {
  rados::Aim aim;
  aim.oid = std::move(oid);
  aim.locator = std::move(from);
  aim.flags = msg::kReqRead;

  std::vector<OsdOp> ops;
  ops.emplace_back(OpCode::kStat);
  ops.emplace_back(OpCode::kGetXattrs);
  ops.emplace_back(OpCode::kOmapGetHeader);
  CO_TRY(head, co_await read(aim, std::move(ops)));
  if (head.ops.size() != 3) co_return fail(EIO, "the source of a copy answered in part");
  ObjectCopy copy;
  ByteReader stat(head.ops[0].outdata), attrs(head.ops[1].outdata);
  const uint64_t size = stat.u64();
  wire::decode(copy.mtime, stat);
  wire::decode(copy.attrs, attrs);
  if (!stat.ok() || !attrs.ok()) co_return fail(EIO, "the source of a copy cannot be read");
  copy.omap_header = head.ops[2].outdata;
  if (size > max_bytes) co_return fail(EFBIG, "the source of a copy is too large");

  std::string data;
  data.reserve(size);
  while (data.size() < size) {
    msg::Extent e;
    e.offset = data.size();
    e.length = std::min(kDataPage, size - data.size());
    std::vector<OsdOp> one;
    one.emplace_back(OpCode::kRead, e);
    CO_TRY(page, co_await read(aim, std::move(one)));
    const Bytes& got = page.ops.at(0).outdata;
    if (page.user_version != head.user_version || got.size() != e.length)
      co_return fail(EAGAIN, "the source of a copy changed meanwhile");
    data.append(got.view());
  }
  copy.data = Bytes::take(std::move(data));

  std::string last;
  uint64_t omap_bytes = 0;
  for (bool more = true; more;) {
    std::vector<OsdOp> one;
    one.push_back(omap_page(last));
    CO_TRY(page, co_await read(aim, std::move(one)));
    if (page.user_version != head.user_version)
      co_return fail(EAGAIN, "the source of a copy changed meanwhile");
    ByteReader in(page.ops.at(0).outdata);
    std::map<std::string, Bytes> pairs;
    wire::decode(pairs, in);
    more = in.u8() != 0;
    if (!in.ok()) co_return fail(EIO, "the source of a copy cannot be read");
    if (pairs.empty()) break;
    last = pairs.rbegin()->first;
    for (const auto& [key, value] : pairs) omap_bytes += key.size() + value.size();
    if (omap_bytes > max_bytes) co_return fail(EFBIG, "the source of a copy is too large");
    copy.omap.merge(std::move(pairs));
  }
  co_return copy;
}

}  // namespace plimsoll::osd
