// SPDX-License-Identifier: LGPL-2.1-or-later
// The contract of ObjectStore, for every implementation: random transactions against a model.
#include <gtest/gtest.h>

#include "osd/store/block_store.h"
#include "osd/store/test_runtime.h"
#include "osd/store/mem_store.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

namespace {

enum class Kind { kMem, kBlock };

std::string kind_name(const ::testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::kMem ? "mem" : "block";
}

class StoreSuite : public ::testing::TestWithParam<Kind> {
 protected:
  static constexpr uint64_t kSize = 16_MiB;

  void SetUp() override { make(1); }
  void TearDown() override { rt->run(store->umount()); }

  void make(uint64_t seed) {
    if (store) rt->run(store->umount());
    store.reset();
    rt.reset();
    disk = {};
    rt = std::make_unique<FaultRuntime>(disk, seed);
    if (GetParam() == Kind::kMem) {
      store = std::make_unique<MemStore>(MemStore::Options{kSize, {}});
    } else {
      ASSERT_TRUE(rt->run(mkfs(*rt, MkfsOptions{"osd", {}, 0, kSize, true, 4_MiB})));
      BlockStoreOptions options;
      options.path = "osd";
      store = std::make_unique<BlockStore>(*rt, options);
    }
    ASSERT_TRUE(rt->run(store->mount()));
  }
  int commit(Transaction t) {
    auto done = rt->run(store->commit(std::move(t)));
    return done ? 0 : done.error().code();
  }

  FaultDisk disk;
  std::unique_ptr<FaultRuntime> rt;
  std::unique_ptr<ObjectStore> store;
};

Task<void> commit_into(ObjectStore& store, Transaction t, std::vector<int>& order, int n) {
  auto done = co_await store.commit(std::move(t));
  order.push_back(done ? n : -1);
}

const PgId kPg{1, 0};

}  // namespace

TEST_P(StoreSuite, RandomTransactionsEqualTheModel) {
  for (uint64_t seed = 1; seed <= 12; seed++) {
    make(seed);
    Rng rng(seed);
    Model model;
    MixOptions mix;
    for (int i = 0; i < 120; i++) {
      Transaction t = random_transaction(rng, mix);
      model.apply(t);
      ASSERT_EQ(commit(std::move(t)), 0);
      const PgId pg{1, static_cast<uint32_t>(rng.below(mix.pgs))};
      const HObject name = test_object(pg, rng.below(mix.objects));
      const ModelObject* want = nullptr;
      if (auto c = model.collections.find(pg); c != model.collections.end())
        if (auto o = c->second.objects.find(name); o != c->second.objects.end()) want = &o->second;
      ASSERT_EQ(rt->run(compare_object(*store, pg, name, want, rng)), "")
          << "seed " << seed << " step " << i;
    }
    auto got = rt->run(read_all(*store, {}));
    ASSERT_TRUE(got) << got.error().to_string();
    ASSERT_EQ(difference(*got, model), "") << "seed " << seed;
    EXPECT_EQ(usage_difference(*store, model), "") << "seed " << seed;
  }
}

TEST_P(StoreSuite, AnswersComeInTheOrderOfTheCalls) {
  std::vector<int> order;
  for (int i = 0; i < 20; i++) {
    Transaction t;
    Rng rng(i);
    t.write(kPg, test_object(kPg, i % 3), 0, random_bytes(rng, i % 4 ? 4096 : 50000));
    spawn_detached(rt->executor(), commit_into(*store, std::move(t), order, i));
  }
  while (order.size() < 20 && rt->step()) {
  }
  ASSERT_EQ(order.size(), 20u);
  for (int i = 0; i < 20; i++) EXPECT_EQ(order[i], i);
}

TEST_P(StoreSuite, AbsentThingsHaveTheirErrors) {
  const HObject o = test_object(kPg, 0);
  EXPECT_EQ(rt->run(store->stat(kPg, o)).error().code(), ENOENT);
  EXPECT_EQ(rt->run(store->read(kPg, o, 0, 1)).error().code(), ENOENT);
  EXPECT_EQ(rt->run(store->omap_page(kPg, o, {}, "", 1, 1)).error().code(), ENOENT);
  Transaction t;
  t.touch(kPg, o);
  ASSERT_EQ(commit(std::move(t)), 0);
  EXPECT_EQ(rt->run(store->get_attr(kPg, o, "x")).error().code(), ENODATA);
  EXPECT_EQ(rt->run(store->read(kPg, o, 0, 10))->size(), 0u);
  EXPECT_EQ(rt->run(store->omap_header(kPg, o))->size(), 0u);
  EXPECT_FALSE(*rt->run(store->meta_get(kPg, "info")));
  EXPECT_FALSE(*rt->run(store->store_get("superblock")));
  const PgId other{2, 0};
  EXPECT_TRUE(rt->run(store->list(other, HObject(), HObject::max(), 10))->empty());
}

TEST_P(StoreSuite, ListsInObjectOrderWithinBounds) {
  Transaction t;
  std::set<HObject> all;
  for (int i = 0; i < 40; i++) {
    all.insert(test_object(kPg, i));
    t.touch(kPg, test_object(kPg, i));
  }
  ASSERT_EQ(commit(std::move(t)), 0);
  const std::vector<HObject> want(all.begin(), all.end());
  EXPECT_EQ(*rt->run(store->list(kPg, HObject(), HObject::max(), 100)), want);
  EXPECT_EQ(*rt->run(store->list(kPg, want[3], want[9], 100)),
            std::vector<HObject>(want.begin() + 3, want.begin() + 9));
  EXPECT_EQ(rt->run(store->list(kPg, want[3], HObject::max(), 5))->size(), 5u);
  EXPECT_TRUE(rt->run(store->list(kPg, HObject::max(), HObject::max(), 5))->empty());
}

TEST_P(StoreSuite, RefusesWhatDoesNotFitAndStillDeletes) {
  Rng rng(3);
  uint64_t written = 0;
  int code = 0;
  for (uint64_t i = 0; !code; i++) {
    Transaction t;
    t.write(kPg, test_object(kPg, i), 0, random_bytes(rng, 1_MiB));
    code = commit(std::move(t));
    written += code == 0;
  }
  EXPECT_EQ(code, ENOSPC);
  EXPECT_GE(written, 14u);
  EXPECT_EQ(rt->run(store->stat(kPg, test_object(kPg, written))).error().code(), ENOENT);
  // What takes no block still goes through, and so do deletes, which make room again.
  Transaction attr;
  attr.set_attr(kPg, test_object(kPg, 0), "x", random_bytes(rng, 100));
  attr.truncate(kPg, test_object(kPg, 0), 100'001);
  EXPECT_EQ(commit(std::move(attr)), 0);
  Transaction remove;
  for (uint64_t i = 1; i < 3; i++) remove.remove(kPg, test_object(kPg, i));
  EXPECT_EQ(commit(std::move(remove)), 0);
  Transaction again;
  again.write(kPg, test_object(kPg, 1), 0, random_bytes(rng, 1_MiB));
  EXPECT_EQ(commit(std::move(again)), 0);
}

INSTANTIATE_TEST_SUITE_P(All, StoreSuite, ::testing::Values(Kind::kMem, Kind::kBlock), kind_name);

}  // namespace plimsoll::osd
