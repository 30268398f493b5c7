// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_kv.h"

namespace plimsoll::sim {

// ---- KvImage ------------------------------------------------------------------------------------

void KvImage::Pairs::erase(const std::string& from, const std::string& to) {
  auto it = map.lower_bound(from);
  while (it != map.end() && it->first < to) {
    bytes -= it->first.size() + it->second.size();
    it = map.erase(it);
  }
}

void KvImage::Pairs::apply(const KvBatch& batch) {
  for (const auto& op : batch.ops()) {
    switch (op.kind) {
      case KvBatch::Kind::kPut:
        erase(op.key, op.key + '\0');
        bytes += op.key.size() + op.value.size();
        map.emplace(op.key, op.value);
        break;
      case KvBatch::Kind::kErase: erase(op.key, op.key + '\0'); break;
      case KvBatch::Kind::kEraseRange: erase(op.key, op.value); break;
    }
  }
}

Result<> KvImage::apply_front(bool host_full) {
  KvBatch batch = std::move(queue.front().batch);
  queue.pop_front();
  if (host_full || visible.bytes + batch.bytes() > capacity)
    return fail(ENOSPC, "simulated store: no space");
  visible.apply(batch);
  applied.push_back(std::move(batch));
  applied_count++;
  return {};
}

void KvImage::sync_to(uint64_t count) {
  for (; applied_count - applied.size() < count; applied.pop_front())
    durable.apply(applied.front());
}

void KvImage::crash(Rng& rng) {
  while (!queue.empty()) (void)apply_front();
  sync_to(applied_count - applied.size() +
          (rng.chance(0.5) ? 0 : rng.below(applied.size() + 1)));
  applied.clear();
  visible = durable;
  open = false;
}

// ---- SimKv --------------------------------------------------------------------------------------

Task<void> SimKv::read_latency() {
  // Most reads are served from memory and do not suspend.
  if (rng_.chance(0.1)) co_await clock_.sleep(Duration(20'000 + rng_.below(500'000)));
}

Task<Result<std::optional<std::string>>> SimKv::get(std::string key) {
  co_await read_latency();
  const auto it = image_.visible.map.find(key);
  if (it == image_.visible.map.end()) co_return std::optional<std::string>();
  co_return std::optional<std::string>(it->second);
}

Task<Result<std::vector<Kv::Pair>>> SimKv::scan(std::string from, std::string to, size_t limit,
                                                size_t max_bytes) {
  co_await read_latency();
  std::vector<Pair> out;
  size_t bytes = 0;
  const auto& pairs = image_.visible.map;
  for (auto it = pairs.lower_bound(from); it != pairs.end() && out.size() < limit; ++it) {
    if (!to.empty() && it->first >= to) break;
    bytes += it->second.size();
    if (bytes > max_bytes && !out.empty()) break;
    out.push_back(*it);
  }
  co_return out;
}

Task<Result<std::optional<Kv::Pair>>> SimKv::last(std::string from, std::string to) {
  co_await read_latency();
  const auto& pairs = image_.visible.map;
  auto it = to.empty() ? pairs.end() : pairs.lower_bound(to);
  if (it == pairs.begin()) co_return std::optional<Pair>();
  --it;
  if (it->first < from) co_return std::optional<Pair>();
  co_return std::optional<Pair>(*it);
}

Task<Result<>> SimKv::enqueue(KvBatch batch, bool durable) {
  CHECK(image_.open);
  auto done = std::make_shared<OneShot<Result<>>>();
  for (const auto& op : batch.ops()) {
    schedule_.hash().add(EventHash::Kind::kKv, owner_, op.key);
    schedule_.hash().add(EventHash::Kind::kKv, static_cast<uint64_t>(op.kind), op.value);
  }
  image_.queue.push_back({std::move(batch), durable, done});
  if (faults_.answers_early && durable) done->set(Result<>());
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
    const auto done = image_.queue.front().done;
    const bool durable = image_.queue.front().durable;
    const bool no_room =
        faults_.host_full && !(ballast_ && ballast_->release(image_.queue.front().batch.bytes()));
    if (no_room && ballast_ && ballast_->patient()) {
      schedule_.add(owner_, Ballast::kRetry, [this, rest = size - i] { finish_group(rest); });
      return;
    }
    const Result<> result = image_.apply_front(no_room);
    if (durable) image_.sync_to(image_.applied_count);
    done->set(result);
  }
  committing_ = false;
  if (!image_.queue.empty()) start_group();
  else idle_.notify_all();
}

Task<Result<>> SimKv::sync() {
  const uint64_t mark = image_.applied_count;
  co_await clock_.sleep(Duration(100'000 + rng_.below(500'000)));
  image_.sync_to(mark);
  co_return Result<>();
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
