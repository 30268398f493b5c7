// SPDX-License-Identifier: LGPL-2.1-or-later
// Commit records come back as they went; merged batches do what they did one by one.
#include "osd/store/commit_record.h"

#include <gtest/gtest.h>

#include "osd/store/format.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

TEST(CommitRecord, MergedBatchesDoWhatTheyDidInTurn) {
  Rng rng(5);
  auto apply = [](std::map<std::string, std::string>& m, const KvBatch& batch) {
    for (const auto& op : batch.ops()) {
      if (op.kind == KvBatch::Kind::kPut) m[op.key] = op.value;
      else if (op.kind == KvBatch::Kind::kErase) m.erase(op.key);
      else if (op.key < op.value) m.erase(m.lower_bound(op.key), m.lower_bound(op.value));
    }
  };
  size_t before = 0, after = 0;
  for (int round = 0; round < 300; round++) {
    std::map<std::string, std::string> in_turn, at_once;
    for (int i = 0; i < 8; i++) in_turn[std::to_string(i)] = at_once[std::to_string(i)] = "old";
    std::vector<KvBatch> batches(1 + rng.below(4));
    for (auto& batch : batches) {
      for (uint64_t n = rng.below(8); n; n--) {
        const std::string k = std::to_string(rng.below(8));
        if (rng.chance(0.5)) batch.put(k, std::to_string(n));
        else if (rng.chance(0.6)) batch.erase(k);
        else batch.erase_range(k, std::to_string(rng.below(9)));
      }
      before += batch.ops().size();
      apply(in_turn, batch);
    }
    const KvBatch merged = merge(std::move(batches));
    after += merged.ops().size();
    apply(at_once, merged);
    ASSERT_EQ(at_once, in_turn) << round;
  }
  EXPECT_LT(after, before * 9 / 10);
}

TEST(CommitRecord, ComesBackAndTruncationsDoNot) {
  Rng rng(6);
  CommitRecord record;
  record.in_place = 77;
  record.batch.put("k", std::string("\0v", 2));
  record.batch.erase("gone");
  record.batch.erase_range("a", "b");
  Buffer content(kBlock);
  std::memset(content.data(), 0, kBlock);
  content.data()[99] = 7;
  record.blocks.push_back({5, Bytes::take(std::move(content)), 100});
  record.blocks.push_back({6, Bytes::zeros(kBlock), 0});
  record.blocks.push_back({7, random_bytes(rng, kBlock), kBlock});
  std::string text(encoded_size(record), '\0');
  encode(record, reinterpret_cast<uint8_t*>(text.data()));

  const auto back = decode_commit_record(Bytes::copy(text));
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(back->in_place, 77u);
  ASSERT_EQ(back->batch.ops().size(), 3u);
  EXPECT_EQ(back->batch.ops()[0].value, record.batch.ops()[0].value);
  EXPECT_EQ(back->batch.ops()[2].kind, KvBatch::Kind::kEraseRange);
  ASSERT_EQ(back->blocks.size(), 3u);
  for (size_t i = 0; i < 3; i++) {
    EXPECT_EQ(back->blocks[i].block, record.blocks[i].block);
    EXPECT_EQ(back->blocks[i].content, record.blocks[i].content);
  }
  for (size_t n = 0; n < text.size(); n += 1 + rng.below(60))
    EXPECT_FALSE(decode_commit_record(Bytes::copy(text.substr(0, n))));
  EXPECT_FALSE(decode_commit_record(Bytes::copy(text + "x")));
}

}  // namespace plimsoll::osd
