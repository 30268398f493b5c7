// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/overlay.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "osd/store/format.h"
#include "osd/store/test_model.h"
#include "osd/store/test_runtime.h"

namespace plimsoll::osd {

namespace {

using Pairs = std::map<std::string, std::string>;

std::string random_key(Rng& rng) { return fmt::format("k{:02}", rng.below(60)); }

KvBatch random_batch(Rng& rng, Pairs& model) {
  KvBatch batch;
  for (uint64_t n = 1 + rng.below(4); n > 0; n--) {
    const std::string key = random_key(rng), to = random_key(rng);
    switch (rng.below(4)) {
      case 0:
        batch.erase(key);
        model.erase(key);
        break;
      case 1:
        batch.erase_range(key, to);
        if (key < to) model.erase(model.lower_bound(key), model.lower_bound(to));
        break;
      default:
        batch.put(key, model[key] = std::string(rng.below(40), 'v'));
    }
  }
  return batch;
}

std::vector<Kv::Pair> expected(const Pairs& model, const std::string& from, const std::string& to,
                               size_t limit, size_t max_bytes) {
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

std::optional<Kv::Pair> last_of(const Pairs& model, const std::string& from,
                                const std::string& to) {
  auto it = to.empty() ? model.end() : model.lower_bound(to);
  if (it == model.begin() || (--it)->first < from) return std::nullopt;
  return Kv::Pair(*it);
}

}  // namespace

TEST(Overlay, KeysAreThoseOfTheBaseWithAllChanges) {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    FaultDisk disk;
    FaultRuntime rt(disk, seed);
    Rng rng(seed);
    Pairs model;
    KvOptions options;
    options.create = true;
    auto base = *rt.run(rt.open_kv("kv", options));
    for (int i = 0; i < 20; i++) ASSERT_TRUE(rt.run(base->commit(random_batch(rng, model))));
    base.reset();
    const Pairs before = model;

    options.create = false;
    options.read_only = true;
    OverlayKv kv(*rt.run(rt.open_kv("kv", options)));
    for (int i = 0; i < 100; i++) {
      ASSERT_TRUE(rt.run(kv.apply(random_batch(rng, model))));
      const std::string key = random_key(rng);
      const auto got = rt.run(kv.get(key));
      EXPECT_EQ(*got, model.contains(key) ? std::optional(model[key]) : std::nullopt) << key;
      const std::string to = rng.chance(0.2) ? "" : random_key(rng);
      if (!to.empty() && to < key) continue;
      const size_t limit = 1 + rng.below(20), bytes = rng.below(200);
      EXPECT_EQ(*rt.run(kv.scan(key, to, limit, bytes)), expected(model, key, to, limit, bytes));
      EXPECT_EQ(*rt.run(kv.last(key, to)), last_of(model, key, to));
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    EXPECT_EQ(disk.kvs["kv"].current, before) << "the base is as it was";
  }
}

TEST(Overlay, BlocksAreThoseOfTheBaseUntilWritten) {
  FaultDisk disk;
  FaultRuntime rt(disk, 1);
  Rng rng(1);
  BlockFileOptions options;
  options.create = true;
  options.size = 16 * kBlock;
  auto base = *rt.run(rt.open_block_file("block", options));
  std::string model = random_bytes(rng, options.size).to_string();
  std::vector<Bytes> all(1, Bytes::copy(model));
  ASSERT_TRUE(rt.run(base->write(0, all)));
  base.reset();
  const std::string before = model;

  options.create = false;
  options.read_only = true;
  OverlayBlockFile file(*rt.run(rt.open_block_file("block", options)));
  EXPECT_EQ(file.size(), model.size());
  for (int i = 0; i < 100; i++) {
    const uint64_t first = rng.below(16), count = 1 + rng.below(16 - first);
    const Bytes data = random_bytes(rng, count * kBlock);
    std::vector<Bytes> pieces{data.slice(0, kBlock), data.slice(kBlock)};
    ASSERT_TRUE(rt.run(file.write(first * kBlock, pieces)));
    model.replace(first * kBlock, data.size(), data.view());
    const uint64_t offset = rng.below(model.size()), length = rng.below(model.size() - offset);
    EXPECT_EQ(rt.run(file.read(offset, length))->view(), model.substr(offset, length));
  }
  EXPECT_FALSE(rt.run(file.read(15 * kBlock, 2 * kBlock))) << "beyond the end";
  EXPECT_EQ(disk.files["block"].current, before) << "the base is as it was";
}

}  // namespace plimsoll::osd
