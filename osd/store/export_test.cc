// SPDX-License-Identifier: LGPL-2.1-or-later
// A PG leaves a store whole, with what only the journal has, and nothing of the store changes; a
// stream that is not as it was written is recognised.
#include "osd/store/export.h"

#include <gtest/gtest.h>

#include "osd/store/block_store.h"
#include "osd/store/dump.h"
#include "osd/store/fsck.h"
#include "osd/store/test_model.h"
#include "osd/store/test_runtime.h"

namespace plimsoll::osd {

namespace {

namespace json = boost::json;

const PgId kPg{1, 0};

struct StringSink : ByteSink {
  Result<> write(std::string_view data) override {
    if (text.size() + data.size() > limit) return fail(ENOSPC, "full");
    text += data;
    return {};
  }
  Result<> finish() override {
    finished = true;
    return {};
  }
  std::string text;
  size_t limit = SIZE_MAX;
  bool finished = false;
};

struct StringSource : ByteSource {
  explicit StringSource(std::string_view t) : text(t) {}
  Result<size_t> read(std::span<uint8_t> into) override {
    const size_t n = std::min(into.size(), text.size());
    std::memcpy(into.data(), text.data(), n);
    text.remove_prefix(n);
    return n;
  }
  std::string_view text;
};

Result<json::value> listed(std::string_view text) {
  StringSource source(text);
  return list_export(source);
}

/// A store that crashed with changes in its journal, and after a mount that replayed none of them.
struct ExportTest : ::testing::Test {
  FaultDisk disk;
  Rng rng{3};

  void SetUp() override {
    FaultRuntime rt(disk, 1);
    ASSERT_TRUE(rt.run(mkfs(rt, MkfsOptions{"osd", {}, 4, 16_MiB, true, 1_MiB})));
    BlockStoreOptions options;
    options.path = "osd";
    {
      BlockStore store(rt, options);
      ASSERT_TRUE(rt.run(store.mount()));
      for (int i = 0; i < 60; i++) commit(rt, store, random_transaction(rng, MixOptions()));
      Transaction hole;
      hole.write(kPg, test_object(kPg, 100), 3 * kBlock, random_bytes(rng, 40'000));
      hole.truncate(kPg, test_object(kPg, 100), 100'000);
      commit(rt, store, std::move(hole));
      rt.run(store.umount());
    }
    options.flush_delay = 1h;
    BlockStore store(rt, options);
    ASSERT_TRUE(rt.run(store.mount()));
    Transaction t;
    t.create_collection(kPg);
    t.write(kPg, test_object(kPg, 101), 10, random_bytes(rng, 500));
    t.write(kPg, test_object(kPg, 100), 4 * kBlock + 5, random_bytes(rng, 100));
    t.omap_set(kPg, test_object(kPg, 101), {{"a", Bytes::copy("1")}, {"b", Bytes()}});
    t.omap_set_header(kPg, test_object(kPg, 101), Bytes::copy("header"));
    t.set_attr(kPg, test_object(kPg, 101), "_", Bytes::copy("attr"));
    t.meta_set(kPg, {{"info", Bytes::copy("of the pg")}});
    commit(rt, store, std::move(t));
    // No umount: a crash.
  }
  void commit(FaultRuntime& rt, BlockStore& store, Transaction t) {
    ASSERT_TRUE(rt.run(store.commit(std::move(t))));
  }
  std::string exported() {
    disk.locked.clear();
    FaultRuntime rt(disk, 2);
    StringSink sink;
    auto done = rt.run(export_pg(rt, "osd", kPg, "test", sink));
    EXPECT_TRUE(done) << done.error().to_string();
    EXPECT_TRUE(sink.finished);
    return sink.text;
  }
  json::value dumped() {
    FaultRuntime rt(disk, 2);
    const std::optional<PgId> pg = kPg;
    auto out = rt.run(dump(rt, "osd", pg));
    EXPECT_TRUE(out);
    return out->at("collections").at(0);
  }
};

/// What both know of an object.
json::object common(const json::value& object) {
  json::object out = object.as_object();
  out.erase("extents");
  out.erase("allocated");
  if (auto* omap = out.if_contains("omap")) omap->as_object().erase("id");
  return out;
}

void expect_same(const json::value& list, const json::value& dump) {
  EXPECT_EQ(list.at("meta"), dump.at("meta"));
  const auto& a = list.at("objects").as_array();
  const auto& b = dump.at("objects").as_array();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); i++) EXPECT_EQ(common(a[i]), common(b[i]));
}

}  // namespace

TEST_F(ExportTest, HoldsWhatTheStoreHolds) {
  const std::string text = exported();
  auto list = listed(text);
  ASSERT_TRUE(list) << list.error().to_string();
  EXPECT_EQ(list->at("osd"), 4);
  expect_same(*list, dumped());
  // And it is what a mount finds.
  FaultRuntime rt(disk, 3);
  BlockStoreOptions options;
  options.path = "osd";
  BlockStore store(rt, options);
  ASSERT_TRUE(rt.run(store.mount()));
  EXPECT_EQ(rt.run(store.get_attr(kPg, test_object(kPg, 101), "_"))->view(), "attr");
  rt.run(store.umount());
  expect_same(*list, dumped());
  EXPECT_EQ(exported(), text);
}

TEST_F(ExportTest, ToolsChangeNothing) {
  const auto state = [this] {
    std::string out;
    for (const auto& [path, file] : disk.files) out += file.current + file.durable;
    for (const auto& [path, kv] : disk.kvs)
      for (const auto& [k, v] : kv.current) out += k + v;
    return out;
  };
  const std::string before = state();
  const std::string text = exported();
  dumped();
  FaultRuntime rt(disk, 2);
  auto report = rt.run(fsck(rt, "osd"));
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->findings.empty());
  EXPECT_TRUE(state() == before);
  EXPECT_EQ(disk.locked.size(), 0u);
}

TEST_F(ExportTest, EveryChangeOfAStreamIsFound) {
  const std::string text = exported();
  for (size_t i = 0; i < text.size(); i += 1 + i / 64) {
    std::string wrong = text;
    wrong[i] ^= 1;
    EXPECT_FALSE(listed(wrong)) << "byte " << i;
    EXPECT_FALSE(listed(text.substr(0, i))) << "cut at " << i;
  }
  EXPECT_FALSE(listed(text + "x"));
  auto cut = listed(text.substr(0, text.size() - 1));
  EXPECT_NE(cut.error().text().find("ends early"), std::string::npos) << cut.error().text();
}

TEST_F(ExportTest, Errors) {
  disk.locked.clear();
  FaultRuntime rt(disk, 2);
  StringSink sink;
  const PgId absent{7, 3};
  auto done = rt.run(export_pg(rt, "osd", absent, "test", sink));
  EXPECT_EQ(done.error().code(), ENOENT);
  EXPECT_EQ(done.error().text(), "osd.4 has no pg 7.3");
  EXPECT_EQ(sink.text, "") << "nothing that could be taken for an export";
  sink.limit = 1000;
  auto full = rt.run(export_pg(rt, "osd", kPg, "test", sink));
  EXPECT_EQ(full.error().code(), ENOSPC);
  EXPECT_EQ(full.error().text(), "full");
  EXPECT_FALSE(sink.finished);

  sink = {};
  std::string& block = disk.files["osd/block"].current;
  std::fill(block.begin() + kReservedBlocks * kBlock, block.end(), 'x');
  auto rotten = rt.run(export_pg(rt, "osd", kPg, "test", sink));
  EXPECT_EQ(rotten.error().code(), EIO);
  EXPECT_NE(rotten.error().text().find("checksum mismatch"), std::string::npos);
  EXPECT_FALSE(sink.finished);
}

TEST(ExportOrder, RefusesWhatMakesNoSense) {
  const auto accepts = [](std::vector<ExportRecord> records) {
    ExportOrder order;
    for (const auto& r : records)
      if (!order.accept(r)) return false;
    return true;
  };
  ExportObject a, b;
  a.object = test_object(kPg, 1);
  b.object = test_object(kPg, 2);
  if (b.object < a.object) std::swap(a, b);
  a.size = b.size = 100;
  const ExportHeader header;
  const ExportData data{10, Bytes::zeros(20)};
  const ExportOmap omap{{{"k", Bytes()}}};
  EXPECT_TRUE(accepts({header, ExportPgKeys(), a, data, ExportOmapHeader(), omap, b}));
  EXPECT_FALSE(accepts({a})) << "no header";
  EXPECT_FALSE(accepts({header, header}));
  EXPECT_FALSE(accepts({header, a, ExportPgKeys()}));
  EXPECT_FALSE(accepts({header, b, a})) << "descending";
  EXPECT_FALSE(accepts({header, a, a}));
  EXPECT_FALSE(accepts({header, data})) << "of no object";
  EXPECT_FALSE(accepts({header, a, data, data})) << "overlap";
  EXPECT_FALSE(accepts({header, a, ExportData{90, Bytes::zeros(20)}})) << "beyond the size";
  EXPECT_FALSE(accepts({header, a, ExportData{UINT64_MAX, Bytes::zeros(20)}}));
  EXPECT_FALSE(accepts({header, a, omap})) << "no omap header";
  EXPECT_FALSE(accepts({header, a, ExportOmapHeader(), omap, omap}));
  EXPECT_FALSE(accepts({header, a, ExportOmapHeader(), omap, data}));
  EXPECT_FALSE(accepts({header, a, ExportEnd()})) << "other counts";
  EXPECT_TRUE(accepts({header, ExportEnd()}));
  EXPECT_FALSE(accepts({header, ExportEnd(), a}));
}

}  // namespace plimsoll::osd
