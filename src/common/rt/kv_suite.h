// SPDX-License-Identifier: LGPL-2.1-or-later
// The contract of Kv as a typed test suite over StorageHosts: order and visibility of commits,
// agreement with a std::map under random operations, bounds of scans, what survives a close.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "common/rt/storage_host.h"
#include "common/rt/task_group.h"

namespace plimsoll {

template <class Host>
struct KvSuite : ::testing::Test {
  Host host;
};
TYPED_TEST_SUITE_P(KvSuite);

namespace kv_suite {

inline Task<std::unique_ptr<Kv>> open(StorageHost& host, bool create) {
  KvOptions options;
  options.create = create;
  options.memtable_bytes = 1 << 20;
  auto kv = co_await host.runtime().open_kv(host.path("kv"), options);
  CHECK_NOTE(kv.has_value(), kv ? "" : kv.error().to_string().c_str());
  co_return std::move(*kv);
}

inline Task<void> reopen(StorageHost& host, std::unique_ptr<Kv>& kv) {
  co_await kv->close();
  kv.reset();
  kv = co_await open(host, false);
}

using Model = std::map<std::string, std::string>;

inline std::string random_key(Rng& rng) { return fmt::format("k{:03}", rng.below(200)); }

inline KvBatch random_batch(Rng& rng, Model& model) {
  KvBatch batch;
  const uint64_t ops = 1 + rng.below(8);
  for (uint64_t i = 0; i < ops; i++) {
    const std::string key = random_key(rng);
    if (rng.chance(0.6)) {
      const std::string value(rng.below(300), static_cast<char>('a' + rng.below(26)));
      batch.put(key, value);
      model[key] = value;
    } else if (rng.chance(0.8)) {
      batch.erase(key);
      model.erase(key);
    } else {
      const std::string to = random_key(rng);
      batch.erase_range(key, to);
      if (key < to) model.erase(model.lower_bound(key), model.lower_bound(to));
    }
  }
  return batch;
}

inline std::vector<Kv::Pair> model_scan(const Model& model, const std::string& from,
                                        const std::string& to, size_t limit, size_t max_bytes) {
  std::vector<Kv::Pair> out;
  size_t bytes = 0;
  for (auto it = model.lower_bound(from); it != model.end() && out.size() < limit; ++it) {
    if (!to.empty() && it->first >= to) break;
    bytes += it->second.size();
    if (bytes > max_bytes && !out.empty()) break;
    out.push_back(*it);
  }
  return out;
}

inline Task<void> compare(Kv& kv, const Model& model, Rng& rng) {
  const std::string key = random_key(rng), to = rng.chance(0.2) ? std::string() : random_key(rng);
  auto value = co_await kv.get(key);
  const auto expected = model.find(key);
  EXPECT_EQ(value->has_value(), expected != model.end());
  if (value->has_value() && expected != model.end()) EXPECT_EQ(**value, expected->second);

  const size_t limit = rng.below(50), max_bytes = rng.below(4000);
  auto pairs = co_await kv.scan(key, to, limit, max_bytes);
  EXPECT_EQ(*pairs, model_scan(model, key, to, limit, max_bytes));

  auto last = co_await kv.last(key, to);
  const auto all = model_scan(model, key, to, SIZE_MAX, SIZE_MAX);
  EXPECT_EQ(last->has_value(), !all.empty());
  if (last->has_value() && !all.empty()) EXPECT_EQ(**last, all.back());
}

inline Task<void> random_ops(StorageHost& host) {
  Rng rng(42);
  Model model;
  auto kv = co_await open(host, true);
  for (int round = 0; round < 400; round++) {
    KvBatch batch = random_batch(rng, model);
    auto change = rng.chance(0.5) ? kv->commit(std::move(batch)) : kv->apply(std::move(batch));
    auto done = co_await std::move(change);
    EXPECT_TRUE(done);
    if (round % 50 == 49) {
      auto synced = co_await kv->sync();
      EXPECT_TRUE(synced);
    }
    co_await compare(*kv, model, rng);
    if (round % 100 == 50) co_await reopen(host, kv);
    if (round % 100 == 99) {
      auto compacted = co_await kv->compact();
      EXPECT_TRUE(compacted);
    }
  }
  auto everything = co_await kv->scan("", "", SIZE_MAX);
  EXPECT_EQ(*everything, model_scan(model, "", "", SIZE_MAX, SIZE_MAX));
  co_await kv->close();
}

inline KvBatch put(std::string key, std::string value) {
  KvBatch batch;
  batch.put(std::move(key), std::move(value));
  return batch;
}

inline Task<void> await_commit(Task<Result<>> commit, int id, std::vector<int>& ended) {
  auto done = co_await std::move(commit);
  EXPECT_TRUE(done);
  ended.push_back(id);
}

/// Order is that of the calls, whatever the order of awaiting; unawaited commits count as well.
inline Task<void> call_order(StorageHost& host) {
  auto kv = co_await open(host, true);
  TaskGroup group(host.runtime().executor());
  std::vector<int> ended;
  for (int i = 0; i < 100; i++)
    group.spawn(await_commit(kv->commit(put("same", std::to_string(i))), i, ended));
  co_await group.join();
  EXPECT_TRUE(std::is_sorted(ended.begin(), ended.end()));
  EXPECT_EQ(ended.size(), 100u);
  auto value = co_await kv->get("same");
  EXPECT_EQ(**value, "99");

  auto first = kv->commit(put("same", "first"));
  auto second = kv->commit(put("same", "second"));
  { auto dropped = kv->apply(put("same", "dropped")); }
  auto two = co_await std::move(second);
  auto one = co_await std::move(first);
  auto barrier = co_await kv->commit(KvBatch());
  EXPECT_TRUE(one && two && barrier);
  value = co_await kv->get("same");
  EXPECT_EQ(**value, "dropped");
  co_await kv->close();
}

inline Task<void> bounds(StorageHost& host) {
  auto kv = co_await open(host, true);
  KvBatch batch;
  const std::string binary("\0\xff\0", 3);
  batch.put("a", std::string(1000, 'x'));
  batch.put("b", std::string(1000, 'y'));
  batch.put("c", "");
  batch.put(binary, binary);
  auto done = co_await kv->commit(std::move(batch));
  EXPECT_TRUE(done);
  auto one = co_await kv->scan("a", "", 10, 1);
  EXPECT_EQ(one->size(), 1u);
  auto two = co_await kv->scan("a", "", 10, 2000);
  EXPECT_EQ(two->size(), 3u);
  auto none = co_await kv->scan("a", "", 0);
  EXPECT_TRUE(none->empty());
  auto inverted = co_await kv->scan("b", "a", 10);
  EXPECT_TRUE(inverted->empty());
  auto empty_value = co_await kv->get("c");
  EXPECT_EQ(**empty_value, "");
  auto all = co_await kv->scan("", "", 1);
  EXPECT_EQ((*all)[0].second, binary);
  auto before = co_await kv->last("", "a");
  EXPECT_EQ((**before).first, binary);
  auto end = co_await kv->last("a", "");
  EXPECT_EQ((**end).first, "c");
  co_await kv->close();
}

inline Task<void> open_errors(StorageHost& host) {
  KvOptions options;
  auto missing = co_await host.runtime().open_kv(host.path("kv"), options);
  EXPECT_EQ(missing.error().code(), ENOENT);
  auto kv = co_await open(host, true);
  co_await kv->close();
  kv.reset();
  options.create = true;
  auto existing = co_await host.runtime().open_kv(host.path("kv"), options);
  EXPECT_EQ(existing.error().code(), EEXIST);
}

}  // namespace kv_suite

TYPED_TEST_P(KvSuite, AgreesWithAMap) { this->host.run(kv_suite::random_ops(this->host)); }
TYPED_TEST_P(KvSuite, TakesEffectInTheOrderOfCalls) {
  this->host.run(kv_suite::call_order(this->host));
}
TYPED_TEST_P(KvSuite, KeepsBounds) { this->host.run(kv_suite::bounds(this->host)); }
TYPED_TEST_P(KvSuite, NamesOpenErrors) { this->host.run(kv_suite::open_errors(this->host)); }

REGISTER_TYPED_TEST_SUITE_P(KvSuite, AgreesWithAMap, TakesEffectInTheOrderOfCalls, KeepsBounds,
                            NamesOpenErrors);

}  // namespace plimsoll
