// SPDX-License-Identifier: LGPL-2.1-or-later
// The contract of BlockFile as a typed test suite over StorageHosts: agreement with an array of
// bytes under random reads and writes of any alignment, ranges, what survives a close after a sync.
#pragma once

#include <gtest/gtest.h>

#include "common/base/units.h"
#include "common/rt/storage_host.h"

namespace plimsoll {

template <class Host>
struct BlockSuite : ::testing::Test {
  Host host;
};
TYPED_TEST_SUITE_P(BlockSuite);

namespace block_suite {

constexpr uint64_t kSize = 1 << 20;

inline Task<std::unique_ptr<BlockFile>> open(StorageHost& host, bool create) {
  BlockFileOptions options;
  options.create = create;
  options.size = kSize;
  auto file = co_await host.runtime().open_block_file(host.path("block"), options);
  CHECK_NOTE(file.has_value(), file ? "" : file.error().to_string().c_str());
  co_return std::move(*file);
}

inline std::string random_text(Rng& rng, size_t size) {
  std::string out(size, 0);
  for (auto& c : out) c = static_cast<char>(rng.next());
  return out;
}

inline Bytes aligned(const std::string& text) {
  Buffer buffer(text.size(), BlockFile::kBlock);
  std::memcpy(buffer.data(), text.data(), text.size());
  return Bytes::take(std::move(buffer));
}

/// Large and aligned, as the data of large objects is: files may take a way of their own for these.
inline Task<void> write_aligned(BlockFile& file, std::string& model, Rng& rng) {
  const uint64_t offset = 4096 * rng.below(128);
  std::vector<Bytes> pieces;
  for (uint64_t i = 0, at = offset; i < 2; i++, at += pieces.back().size()) {
    pieces.push_back(aligned(random_text(rng, 4096 * (16 + rng.below(32)))));
    model.replace(at, pieces.back().size(), pieces.back().view());
  }
  auto done = co_await file.write(offset, std::move(pieces));
  EXPECT_TRUE(done);
}

/// Of whole blocks, or not.
inline Task<void> write_durable(BlockFile& file, std::string& model, Rng& rng) {
  const bool whole = rng.chance(0.8);
  const uint64_t offset = whole ? 4096 * rng.below(200) : rng.below(kSize - 60'000);
  const Bytes data = aligned(random_text(rng, whole ? 4096 * (1 + rng.below(8)) : 5000));
  model.replace(offset, data.size(), data.view());
  auto synced = co_await file.sync();
  auto done = co_await file.write_durable(offset, data);
  EXPECT_TRUE(synced && done);
}

inline Task<void> write_random(BlockFile& file, std::string& model, Rng& rng) {
  if (rng.chance(0.1)) co_return co_await write_durable(file, model, rng);
  if (rng.chance(0.2)) co_return co_await write_aligned(file, model, rng);
  const uint64_t offset = rng.below(kSize - 60'000);
  std::vector<Bytes> pieces;
  std::string all;
  const uint64_t count = rng.below(4);
  for (uint64_t i = 0; i < count; i++) {
    const size_t size = rng.chance(0.5) ? 4096 * rng.below(4) : rng.below(15'000);
    pieces.push_back(Bytes::take(random_text(rng, size)));
    all += pieces.back().view();
  }
  model.replace(offset, all.size(), all);
  auto done = co_await file.write(offset, std::move(pieces));
  EXPECT_TRUE(done);
}

inline Task<void> random_ops(StorageHost& host) {
  Rng rng(7);
  std::string model(kSize, '\0');
  auto file = co_await open(host, true);
  EXPECT_EQ(file->size(), kSize);
  for (int round = 0; round < 300; round++) {
    co_await write_random(*file, model, rng);
    uint64_t offset = rng.below(kSize);
    size_t length = rng.below(std::min<uint64_t>(kSize - offset, 300'000) + 1);
    if (rng.chance(0.3)) {
      offset = round_down(offset, BlockFile::kBlock);
      length = round_down(length, BlockFile::kBlock);
    }
    auto got = co_await file->read(offset, length);
    EXPECT_TRUE(got->view() == std::string_view(model).substr(offset, length));
    if (round % 50 != 49) continue;
    auto synced = co_await file->sync();
    EXPECT_TRUE(synced);
    if (round % 100 != 99) continue;
    file.reset();
    file = co_await open(host, false);
  }
}

inline Task<void> ranges(StorageHost& host) {
  auto file = co_await open(host, true);
  auto end = co_await file->read(kSize - 10, 10);
  EXPECT_TRUE(*end == Bytes::zeros(10));
  auto empty = co_await file->read(kSize, 0);
  EXPECT_TRUE(empty->empty());
  auto beyond = co_await file->read(kSize - 10, 11);
  EXPECT_EQ(beyond.error().code(), EIO);
  auto wrapped = co_await file->read(UINT64_MAX - 1, 4);
  EXPECT_EQ(wrapped.error().code(), EIO);
  std::vector<Bytes> pieces(2, Bytes::copy("123456"));
  auto written = co_await file->write(kSize - 10, std::move(pieces));
  EXPECT_EQ(written.error().code(), EIO);
  auto durable = co_await file->write_durable(kSize - 10, Bytes::zeros(11));
  EXPECT_EQ(durable.error().code(), EIO);
  auto untouched = co_await file->read(kSize - 10, 10);
  EXPECT_TRUE(*untouched == Bytes::zeros(10));
}

inline Task<void> open_errors(StorageHost& host) {
  BlockFileOptions options;
  auto missing = co_await host.runtime().open_block_file(host.path("block"), options);
  EXPECT_EQ(missing.error().code(), ENOENT);
  auto file = co_await open(host, true);
  auto busy = co_await host.runtime().open_block_file(host.path("block"), options);
  EXPECT_EQ(busy.error().code(), EBUSY);
  file.reset();
  options.create = true;
  options.size = kSize;
  auto existing = co_await host.runtime().open_block_file(host.path("block"), options);
  EXPECT_EQ(existing.error().code(), EEXIST);
}

}  // namespace block_suite

TYPED_TEST_P(BlockSuite, AgreesWithAnArray) { this->host.run(block_suite::random_ops(this->host)); }
TYPED_TEST_P(BlockSuite, KeepsRanges) { this->host.run(block_suite::ranges(this->host)); }
TYPED_TEST_P(BlockSuite, NamesOpenErrors) { this->host.run(block_suite::open_errors(this->host)); }

REGISTER_TYPED_TEST_SUITE_P(BlockSuite, AgreesWithAnArray, KeepsRanges, NamesOpenErrors);

}  // namespace plimsoll
