// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/model/dump_reader.h"

#include <gtest/gtest.h>

#include "mover/model/dump_writer.h"
#include "mover/model/test_dumps.h"

namespace plimsoll::mover {

namespace {

class StringSink : public ByteSink {
 public:
  Result<> write(std::string_view data) override {
    text += data;
    return {};
  }
  Result<> finish() override { return {}; }
  std::string text;
};

std::string file_of(const Dump& dump) {
  StringSink sink;
  auto done = write_dump(dump, sink);
  EXPECT_TRUE(done);
  return sink.text;
}

Result<Dump> read_file(const std::string& text) {
  MemorySource source(text);
  DumpReader reader;
  TRY_VOID(reader.file(source, "file"));
  return reader.finish();
}

std::string error_of(const Result<Dump>& r) {
  return r ? "" : r.error().text();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TestCluster small() {
  return TestCluster::make({.hosts = 3, .pg_num = 4});
}

TEST(DumpReader, ReadsBothShapesOfPgDump) {
  const TestCluster c = small();
  const Dump all = dump_of(c);
  ASSERT_EQ(all.pgs.size(), 4u);
  EXPECT_EQ(all.pgs[2].pgid, (PgId{1, 2}));
  EXPECT_EQ(all.pgs[2].num_bytes, 1u << 20);
  EXPECT_EQ(all.pgs[2].state, map::kPgActive | map::kPgClean);
  EXPECT_TRUE(all.pgs[2].has_sizes);
  EXPECT_EQ(all.pgs[2].num_acting, 3u);
  ASSERT_EQ(all.osds.size(), 3u);
  EXPECT_EQ(all.osds.at(1).size, 1u << 30);
  EXPECT_EQ(all.osds.at(1).used, 4u << 20);
  EXPECT_EQ(all.osds.at(1).used_data, 4u << 20);

  auto pgs = read_documents(c.osd_dump(), c.crush_dump(), c.pg_dump("pgs"));
  ASSERT_TRUE(pgs) << pgs.error().text();
  EXPECT_EQ(pgs->pgs.size(), 4u);
  EXPECT_TRUE(pgs->osds.empty());
  auto brief = read_documents(c.osd_dump(), c.crush_dump(), c.pg_dump("pgs_brief"));
  ASSERT_TRUE(brief) << brief.error().text();
  EXPECT_FALSE(brief->pgs[0].has_sizes);
  EXPECT_EQ(brief->pgs[0].num_acting, 3u);
}

TEST(DumpReader, OsdDfCountsWhereNothingBetterIs) {
  const TestCluster c = small();
  const std::string df =
      R"({"nodes":[{"id":0,"type":"osd","kb":1000,"kb_used":600,"kb_used_data":500,
          "kb_used_omap":20,"kb_used_meta":30,"utilization":nan,"pgs":4},
          {"id":-1,"kb":0}],"stray":[],"summary":{"average_utilization":inf}})";
  auto dump = read_documents(c.osd_dump(), c.crush_dump(), c.pg_dump("pgs"), df);
  ASSERT_TRUE(dump) << dump.error().text();
  EXPECT_EQ(dump->osds.at(0).size, 1000u * 1024);
  EXPECT_EQ(dump->osds.at(0).used, 600u * 1024);
  EXPECT_EQ(dump->osds.at(0).used_data, 500u * 1024);
  auto both = read_documents(c.osd_dump(), c.crush_dump(), c.pg_dump(), df);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->osds.at(0).size, 1u << 30);
}

TEST(DumpReader, FilesSayTheSameInTheSameBytes) {
  TestCluster c = small();
  c.map.pg_upmap_items[{1, 3}] = {{0, 2}};
  Dump dump = dump_of(c);
  dump.cordoned = {1};
  dump.growth_per_day = {{1, 1 << 20}};
  dump.balancer_active = true;
  dump.release = "16.2.15";
  dump.osds[2].pg_allocated = {{{1, 0}, 4096}, {{1, 2}, 8192}};
  dump.osds[2].min_alloc_size = 4096;
  const std::string text = file_of(dump);
  auto back = read_file(text);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->map, dump.map);
  EXPECT_EQ(back->acting, dump.acting);
  EXPECT_EQ(back->cordoned, dump.cordoned);
  EXPECT_EQ(back->growth_per_day, dump.growth_per_day);
  EXPECT_EQ(back->osds.at(2).pg_allocated, dump.osds.at(2).pg_allocated);
  EXPECT_EQ(back->osds.at(2).min_alloc_size, 4096u);
  EXPECT_TRUE(back->balancer_active);
  EXPECT_EQ(back->release, "16.2.15");
  EXPECT_EQ(file_of(*back), text);
}

TEST(DumpReader, KeysOfAReplicaDoNotCount) {
  Dump dump = dump_of(small());
  dump.osds[2].pg_allocated = {{{1, 0}, 4639}, {{1, 2}, 100}};
  std::string text = file_of(dump);
  for (const auto& [bytes, keys] : {std::pair{"4639", "543"}, std::pair{"100", "200"}}) {
    const std::string plain = "\"bytes\":" + std::string(bytes) + "}";
    const size_t at = text.find(plain);
    ASSERT_NE(at, std::string::npos);
    text.insert(at + plain.size() - 1, ",\"keys\":" + std::string(keys));
  }
  auto read = read_file(text);
  ASSERT_TRUE(read) << read.error().text();
  const std::vector<std::pair<PgId, uint64_t>> want = {{{1, 0}, 4096}, {{1, 2}, 0}};
  EXPECT_EQ(read->osds.at(2).pg_allocated, want);
}

TEST(DumpReader, EveryPrefixOfAFileIsAnErrorThatSaysWhere) {
  const std::string text = file_of(dump_of(small()));
  const size_t whole = text.rfind('}');
  for (size_t n = 0; n <= whole; n++) {
    const std::string error = error_of(read_file(text.substr(0, n)));
    ASSERT_NE(error.find("file: "), std::string::npos) << n << ": " << error;
    ASSERT_NE(error.find("byte "), std::string::npos) << n << ": " << error;
    ASSERT_NE(error.find("cut short"), std::string::npos) << n << ": " << error;
  }
}

TEST(DumpReader, NamesWhatDoesNotFit) {
  const TestCluster c = small();
  const std::string pgs = c.pg_dump();
  auto with = [&](const std::string& pg_dump) {
    return error_of(read_documents(c.osd_dump(), c.crush_dump(), pg_dump));
  };
  EXPECT_EQ(with(replaced(pgs, "\"up\":[", "\"up\":[7,")),
            "PG 1.0 is on osd.7, which the map of epoch 10 does not have");
  EXPECT_EQ(with(replaced(pgs, "\"pg_ready\":true", "\"pg_ready\":false")),
            "pg_dump: byte " + std::to_string(pgs.size() + 1) +
                ": the manager has no statistics yet (pg_ready is false)");
  EXPECT_NE(with(replaced(pgs, "\"num_bytes\":1048576,\"num_objects\":",
                          "\"num_bytes\":inf,\"num_objects\":"))
                .find("stat_sum.num_bytes"),
            std::string::npos);
  EXPECT_NE(with(replaced(pgs, "\"pgid\":\"1.0\"", "\"pgid\":\"one\"")).find("'one' is no PG"),
            std::string::npos);
  EXPECT_EQ(with("{\"pg_ready\":true}"), "the output of `pg dump` is missing");
  // A rule that a pool names and the CRUSH map has not.
  EXPECT_EQ(error_of(read_documents(replaced(c.osd_dump(), "\"crush_rule\":0", "\"crush_rule\":5"),
                                    c.crush_dump(), pgs)),
            "pool 1 'data' has CRUSH rule 5, which the CRUSH map does not have for its type and "
            "size");
}

TEST(DumpReader, ToleratesWhatClustersPrint) {
  const TestCluster c = small();
  // Statistics go below zero; states are added by newer releases; pools go meanwhile.
  std::string pgs =
      replaced(c.pg_dump(), "\"num_bytes\":1048576,\"num_objects\":104857,\"num_object_clones\"",
               "\"num_bytes\":-5,\"num_objects\":104857,\"num_object_clones\"");
  pgs = replaced(pgs, "\"state\":\"active+clean\"", "\"state\":\"active+clean+brandnew\"");
  pgs = replaced(pgs, "\"pgid\":\"1.3\"", "\"pgid\":\"9.3\"");
  auto dump = read_documents(c.osd_dump(), c.crush_dump(), pgs);
  ASSERT_TRUE(dump) << dump.error().text();
  EXPECT_EQ(dump->pgs.size(), 3u);
  EXPECT_EQ(dump->pgs[0].state, map::kPgActive | map::kPgClean);
  ASSERT_EQ(dump->warnings.size(), 1u);
  EXPECT_NE(dump->warnings[0].find("epoch 10"), std::string::npos);
}

TEST(DumpReader, FilesOfOtherKindsAndVersions) {
  EXPECT_NE(error_of(read_file("{}")).find("gather"), std::string::npos);
  EXPECT_NE(error_of(read_file("{\"plimsoll_mover_dump\":2}")).find("version 2"),
            std::string::npos);
  EXPECT_EQ(error_of(read_file("{\"plimsoll_mover_dump\":1}")),
            "the output of `osd dump` is missing");
}

TEST(DumpReader, CordonsFromTheKey) {
  DumpReader reader;
  EXPECT_TRUE(reader.cordon(" osd.3, 5\n"));
  auto bad = reader.cordon("osd.x");
  ASSERT_FALSE(bad);
  EXPECT_NE(bad.error().text().find("osd.x"), std::string::npos);
}

}  // namespace

}  // namespace plimsoll::mover
