// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_kv.h"

namespace plimsoll::sim {

// ---- KvImage ------------------------------------------------------------------------------------

void KvImage::erase(const std::string& from, const std::string& to) {
  auto it = pairs.lower_bound(from);
  while (it != pairs.end() && it->first < to) {
    live_bytes -= it->first.size() + it->second.size();
    it = pairs.erase(it);
  }
}

Result<> KvImage::apply_front() {
  KvBatch batch = std::move(queue.front().batch);
  queue.pop_front();
  if (live_bytes + batch.bytes() > capacity) return fail(ENOSPC, "simulated store: no space");
  for (auto& op : batch.mutable_ops()) {
    switch (op.kind) {
      case KvBatch::Kind::kPut:
        erase(op.key, op.key + '\0');
        live_bytes += op.key.size() + op.value.size();
        pairs.emplace(std::move(op.key), std::move(op.value));
        break;
      case KvBatch::Kind::kErase: erase(op.key, op.key + '\0'); break;
      case KvBatch::Kind::kEraseRange: erase(op.key, op.value); break;
    }
  }
  return {};
}

void KvImage::crash(Rng& rng) {
  const uint64_t kept = rng.chance(0.5) ? 0 : rng.below(queue.size() + 1);
  for (uint64_t i = 0; i < kept; i++) (void)apply_front();
  queue.clear();
  open = false;
}

// ---- SimKv --------------------------------------------------------------------------------------

Task<void> SimKv::read_latency() {
  // Most reads are served from memory and do not suspend.
  if (rng_.chance(0.1)) co_await clock_.sleep(Duration(20'000 + rng_.below(500'000)));
}

Task<Result<std::optional<std::string>>> SimKv::get(std::string key) {
  co_await read_latency();
  const auto it = image_.pairs.find(key);
  if (it == image_.pairs.end()) co_return std::optional<std::string>();
  co_return std::optional<std::string>(it->second);
}

Task<Result<std::vector<Kv::Pair>>> SimKv::scan(std::string from, std::string to, size_t limit,
                                                size_t max_bytes) {
  co_await read_latency();
  std::vector<Pair> out;
  size_t bytes = 0;
  for (auto it = image_.pairs.lower_bound(from); it != image_.pairs.end() && out.size() < limit;
       ++it) {
    if (!to.empty() && it->first >= to) break;
    bytes += it->second.size();
    if (bytes > max_bytes && !out.empty()) break;
    out.push_back(*it);
  }
  co_return out;
}

Task<Result<std::optional<Kv::Pair>>> SimKv::last(std::string from, std::string to) {
  co_await read_latency();
  auto it = to.empty() ? image_.pairs.end() : image_.pairs.lower_bound(to);
  if (it == image_.pairs.begin()) co_return std::optional<Pair>();
  --it;
  if (it->first < from) co_return std::optional<Pair>();
  co_return std::optional<Pair>(*it);
}

Task<Result<>> SimKv::commit(KvBatch batch) {
  CHECK(image_.open);
  auto done = std::make_shared<OneShot<Result<>>>();
  for (const auto& op : batch.ops()) {
    schedule_.hash().add(EventHash::Kind::kKv, owner_, op.key);
    schedule_.hash().add(EventHash::Kind::kKv, static_cast<uint64_t>(op.kind), op.value);
  }
  image_.queue.push_back({std::move(batch), done});
  if (faults_.answers_early) done->set(Result<>());
  if (!committing_) start_group();
  return committed(std::move(done));
}

Task<Result<>> SimKv::committed(std::shared_ptr<OneShot<Result<>>> done) {
  co_return co_await done->wait();
}

void SimKv::start_group() {
  committing_ = true;
  const Duration slow = rng_.chance(0.1) ? Duration(rng_.below(30'000'000)) : Duration(0);
  Duration latency = slow + Duration(100'000 + rng_.below(500'000));
  if (const auto half = faults_.slow.count() / 2)
    latency += Duration(half + static_cast<int64_t>(rng_.below(half)));
  const size_t size = image_.queue.size();
  schedule_.add(owner_, latency, [this, size] { finish_group(size); });
}

void SimKv::finish_group(size_t size) {
  for (size_t i = 0; i < size; i++) {
    auto done = image_.queue.front().done;
    done->set(image_.apply_front());
  }
  committing_ = false;
  if (!image_.queue.empty()) start_group();
  else idle_.notify_all();
}

Task<Result<>> SimKv::compact() {
  co_await clock_.sleep(1ms);
  co_return Result<>();
}

Task<void> SimKv::close() {
  while (committing_) co_await idle_.wait();
  image_.open = false;
}

}  // namespace plimsoll::sim
