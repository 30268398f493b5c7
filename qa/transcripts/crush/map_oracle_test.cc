// SPDX-License-Identifier: LGPL-2.1-or-later
// Placement judged by the stock tools: maps that we encode are read by osdmaptool, and every PG's
// raw, up and acting set must be ours; maps that crushtool builds (the old bucket kinds too) are
// read by us, and every mapping must be crushtool's.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/json/parse.hpp>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "common/map/crush_mapper.h"
#include "common/map/crush_text.h"
#include "common/map/json_compare.h"
#include "common/map/mon_map.h"
#include "common/map/osd_map_dump.h"
#include "common/map/test_maps.h"

namespace plimsoll::map {

namespace {

std::string run(const std::string& command) {
  std::string out;
  FILE* p = popen(("timeout 60 " + command + " 2>&1").c_str(), "r");
  CHECK(p);
  char buffer[4096];
  while (size_t n = fread(buffer, 1, sizeof buffer, p)) out.append(buffer, n);
  pclose(p);
  return out;
}

/// A directory for one test, removed at its end.
class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/map_oracle.XXXXXX";
    CHECK(mkdtemp(name));
    path_ = name;
  }
  ~TempDir() { run("rm -r " + path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const Bytes& data) const {
    std::ofstream out(file(name), std::ios::binary);
    out << data.view();
    return file(name);
  }
  Bytes read(const std::string& name) const {
    std::ifstream in(file(name), std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return Bytes::take(out.str());
  }

 private:
  std::string path_;
};

std::string without(std::string text, const std::string& part) {
  const size_t at = text.find(part);
  return at == text.npos ? text : text.erase(at, part.size());
}

std::string set_text(const std::vector<OsdId>& osds) {
  std::string out = "[";
  for (OsdId osd : osds) {
    if (out.size() > 1) out += ',';
    out += std::to_string(osd);
  }
  return out + "]";
}

std::string with_primary(const std::vector<OsdId>& osds, OsdId primary) {
  return fmt::format("({}, p{})", set_text(osds), primary);
}

OsdId first_of(const std::vector<OsdId>& osds) {
  for (OsdId osd : osds)
    if (osd != kOsdNone) return osd;
  return kNoOsd;
}

/// The PG lines of osdmaptool's dump, as we would write them.
std::vector<std::string> our_lines(const OSDMap& m) {
  std::vector<std::string> out;
  for (const auto& [id, pool] : m.pools) {
    const auto all = m.map_all_pgs(id);
    for (uint32_t seed = 0; seed < all.size(); seed++) {
      const PgId pg{id, seed};
      const auto raw = m.raw(pg);
      out.push_back(fmt::format("{} raw {} up {} acting {}", pg.to_string(),
                                with_primary(raw, first_of(raw)),
                                with_primary(all[seed].up, all[seed].up_primary),
                                with_primary(all[seed].acting, all[seed].acting_primary)));
    }
  }
  return out;
}

std::vector<std::string> their_lines(const std::string& output) {
  std::vector<std::string> out;
  std::istringstream in(output);
  for (std::string line; std::getline(in, line);)
    if (line.find(" raw (") != line.npos) out.push_back(line);
  return out;
}

void expect_same_placement(const OSDMap& m) {
  TempDir dir;
  const std::string file = dir.write("osdmap", wire::to_bytes(m));
  const std::string output = run("osdmaptool " + file + " --test-map-pgs-dump-all");
  const auto theirs = their_lines(output), ours = our_lines(m);
  ASSERT_EQ(theirs.size(), ours.size()) << output.substr(0, 2000);
  int differences = 0;
  for (size_t i = 0; i < ours.size() && differences < 5; i++) {
    EXPECT_EQ(ours[i], theirs[i]);
    differences += ours[i] != theirs[i];
  }
}

int must_rule(CrushMap& crush, const char* name, const char* domain, const char* device_class,
              bool indep) {
  auto id = crush.add_simple_rule(name, "default", domain, device_class, indep ? "indep" : "firstn",
                                  indep ? kRuleErasure : kRuleReplicated);
  CHECK_NOTE(id.has_value(), id ? "" : id.error().text().c_str());
  return *id;
}

/// Two copies in each of two racks: more than one choose step.
int add_two_level_rule(CrushMap& crush) {
  const int id = must_rule(crush, "two_racks", "host", "", false);
  crush.rules[id]->steps = {{CrushOp::kTake, *crush.find_item("default"), 0},
                            {CrushOp::kChooseFirstn, 2, *crush.find_type("rack")},
                            {CrushOp::kChooseleafFirstn, 2, *crush.find_type("host")},
                            {CrushOp::kEmit, 0, 0}};
  return id;
}

/// The primary from one class, the rest from another: more than one take.
int add_two_take_rule(CrushMap& crush) {
  const int id = must_rule(crush, "two_takes", "host", "", false);
  crush.rules[id]->steps = {{CrushOp::kTake, *crush.find_item("default~c0"), 0},
                            {CrushOp::kChooseleafFirstn, 1, *crush.find_type("host")},
                            {CrushOp::kEmit, 0, 0},
                            {CrushOp::kTake, *crush.find_item("default~c1"), 0},
                            {CrushOp::kChooseleafFirstn, -1, *crush.find_type("host")},
                            {CrushOp::kEmit, 0, 0}};
  return id;
}

/// Racks, classes, replicated and erasure-coded pools over all kinds of rules.
OSDMap rich_cluster() {
  OSDMap m = make_cluster(
      {.hosts = 12, .osds_per_host = 3, .hosts_per_rack = 4, .classes = 2, .pg_num = 100});
  CrushMap crush = *m.crush;
  const int by_rack = must_rule(crush, "by_rack", "rack", "", false);
  const int by_osd = must_rule(crush, "by_osd", "osd", "", false);
  const int fast = must_rule(crush, "fast", "host", "c1", false);
  const int ec_osd = must_rule(crush, "ec_osd", "osd", "", true);
  const int ec_host = must_rule(crush, "ec_host", "host", "", true);
  const int two = add_two_level_rule(crush), takes = add_two_take_rule(crush);
  m.crush = SharedCrush(std::move(crush));
  add_pool(m, "by_rack", kPoolReplicated, 3, by_rack, 64, 50);
  add_pool(m, "by_osd", kPoolReplicated, 5, by_osd, 64, 64);
  add_pool(m, "fast", kPoolReplicated, 2, fast, 32, 32);
  add_pool(m, "ec_osd", kPoolErasure, 6, ec_osd, 77, 77);
  add_pool(m, "ec_host", kPoolErasure, 5, ec_host, 64, 64);
  add_pool(m, "two", kPoolReplicated, 4, two, 64, 64);
  add_pool(m, "takes", kPoolReplicated, 3, takes, 64, 64);
  m.pools[add_pool(m, "old_seed", kPoolReplicated, 3, 0, 32, 32)].flags = 0;
  add_pool(m, "too_wide", kPoolReplicated, 12, 0, 8, 8);
  return m;
}

/// Down, out, half-weight, removed OSDs, upmaps, temps and affinities on top.
OSDMap shaken_cluster(uint64_t seed) {
  Rng rng(seed);
  OSDMap m = rich_cluster();
  m.osd_primary_affinity.assign(m.max_osd, kDefaultAffinity);
  for (OsdId osd = 0; osd < m.max_osd; osd++) {
    if (rng.chance(0.1)) m.osd_state[osd] &= ~static_cast<uint32_t>(kOsdUp);
    if (rng.chance(0.05)) m.osd_state[osd] = 0;
    if (rng.chance(0.1))
      m.osd_weight[osd] = 0;
    else if (rng.chance(0.2))
      m.osd_weight[osd] = static_cast<uint32_t>(rng.below(0x10000));
    if (rng.chance(0.3)) m.osd_primary_affinity[osd] = static_cast<uint32_t>(rng.below(0x10001));
  }
  auto osd = [&] { return static_cast<OsdId>(rng.below(m.max_osd)); };
  for (const PgId& pg : m.all_pgs()) {
    const auto raw = m.raw(pg);
    if (rng.chance(0.1) && !raw.empty() && raw[0] != kOsdNone)
      m.pg_upmap_items[pg] = {{raw[0], osd()}, {osd(), osd()}};
    if (rng.chance(0.05)) m.pg_upmap[pg] = {osd(), osd(), osd()};
    if (rng.chance(0.05)) m.pg_temp[pg] = {osd(), osd(), osd()};
    if (rng.chance(0.02)) m.primary_temp[pg] = osd();
  }
  return m;
}

}  // namespace

TEST(OsdMapTool, FreshCluster) {
  expect_same_placement(make_cluster({.hosts = 6, .osds_per_host = 1, .pg_num = 128}));
}

TEST(OsdMapTool, RacksClassesAndErasureCoding) {
  expect_same_placement(rich_cluster());
}

TEST(OsdMapTool, UpmapsTempsAffinityAndFailures) {
  for (uint64_t seed = 1; seed <= 4; seed++) {
    SCOPED_TRACE(seed);
    expect_same_placement(shaken_cluster(seed));
  }
}

TEST(OsdMapTool, WeightSets) {
  OSDMap m = rich_cluster();
  CrushMap crush = *m.crush;
  ASSERT_TRUE(crush.create_choose_args(kDefaultChooseArgs, 1));
  ASSERT_TRUE(crush.create_choose_args(2, 3));
  for (OsdId osd = 0; osd < m.max_osd; osd += 2) {
    const std::string name = fmt::format("osd.{}", osd);
    ASSERT_TRUE(crush.set_choose_args_weight(kDefaultChooseArgs, name, {0.5}));
    ASSERT_TRUE(crush.set_choose_args_weight(2, name, {0.5, 2, 0.25 * (osd % 3)}));
  }
  m.crush = SharedCrush(std::move(crush));
  expect_same_placement(m);
}

TEST(OsdMapTool, AThousandOsds) {
  OSDMap m =
      make_cluster({.hosts = 100, .osds_per_host = 10, .hosts_per_rack = 10, .pg_num = 4096});
  for (OsdId osd = 0; osd < m.max_osd; osd += 17) m.osd_weight[osd] = kOsdOut;
  CrushMap crush = *m.crush;
  const int ec = must_rule(crush, "ec", "rack", "", true);
  m.crush = SharedCrush(std::move(crush));
  add_pool(m, "ec", kPoolErasure, 10, ec, 512, 512);
  expect_same_placement(m);
}

TEST(OsdMapTool, PrintsAsWeDo) {
  TempDir dir;
  Rng rng(7);
  for (int i = 0; i < 10; i++) {
    OSDMap m = random_map(rng);
    if (m.blocklist.size() > 1)
      m.blocklist.erase(std::next(m.blocklist.begin()), m.blocklist.end());
    const std::string file = dir.write("osdmap", wire::to_bytes(m));
    const std::string note = "osdmaptool: osdmap file '" + file + "'\n";
    EXPECT_EQ(print_osd_map(m), without(run("osdmaptool " + file + " --print"), note));
    const std::string dump = without(run("osdmaptool " + file + " --dump json"), note);
    EXPECT_EQ(json_difference(dump_osd_map(m), boost::json::parse(dump)), "");
  }
}

TEST(MonMapTool, PrintsAsWeDo) {
  TempDir dir;
  MonMap m;
  m.epoch = 3;
  m.fsid = *Uuid::parse("00112233-4455-6677-8899-aabbccddeeff");
  m.last_changed = m.created = {1700000000, 5000};
  ASSERT_TRUE(m.add("b", EntityAddrVec(*EntityAddr::parse("127.0.0.1:3300"))));
  ASSERT_TRUE(m.add("a", EntityAddrVec(*EntityAddr::parse("127.0.0.2:3300"))));
  const std::string file = dir.write("monmap", wire::to_bytes(m));
  const std::string note = "monmaptool: monmap file " + file + "\n";
  EXPECT_EQ(without(run("monmaptool --print " + file), note), print_mon_map(m));
}

// ---- crushtool ------------------------------------------------------------------------------

namespace {

/// "CRUSH rule 0 x 5 [1,2,0]" for x in [0, 256).
std::string our_mappings(const CrushMap& m, int rule, int n, const std::vector<uint32_t>& weights) {
  std::string out;
  for (uint32_t x = 0; x < 256; x++) {
    const auto osds = crush_do_rule(m, rule, x, n, weights);
    std::string set;
    for (CrushItem osd : osds) {
      if (!set.empty()) set += ',';
      set += std::to_string(osd);
    }
    out += fmt::format("CRUSH rule {} x {} [{}]\n", rule, x, set);
  }
  return out;
}

void expect_same_mappings(const TempDir& dir, const CrushMap& m) {
  const std::string file = dir.write("crush", wire::to_bytes(m));
  std::vector<uint32_t> weights(m.max_devices, kOsdIn);
  std::string options;
  for (int osd = 0; osd < m.max_devices; osd += 5) {
    weights[osd] = osd % 2 ? 0 : 0x8000;
    options += fmt::format(" --weight {} {}", osd, osd % 2 ? "0" : "0.5");
  }
  for (size_t rule = 0; rule < m.rules.size(); rule++) {
    for (int n : {1, 3, 6}) {
      SCOPED_TRACE(fmt::format("rule {} num-rep {}", rule, n));
      std::string theirs = run(fmt::format(
          "crushtool -i {} --test --rule {} --num-rep {} --min-x 0 --max-x 255 --show-mappings{}",
          file, rule, n, options));
      EXPECT_EQ(our_mappings(m, static_cast<int>(rule), n, weights), theirs);
    }
  }
}

void add_test_rules(CrushMap& m, const std::string& root, const std::string& host) {
  const int host_type = *m.find_type(host);
  const CrushItem take = *m.find_item(root);
  const CrushOp ops[] = {CrushOp::kChooseleafFirstn, CrushOp::kChooseleafIndep};
  for (CrushOp op : ops) {
    const bool indep = op == CrushOp::kChooseleafIndep;
    for (int type : {host_type, 0}) {
      CrushRule rule;
      rule.ruleset = static_cast<uint8_t>(m.rules.size());
      rule.type = indep ? kRuleErasure : kRuleReplicated;
      const CrushOp plain = indep ? CrushOp::kChooseIndep : CrushOp::kChooseFirstn;
      rule.steps = {
          {CrushOp::kTake, take, 0}, {type ? op : plain, 0, type}, {CrushOp::kEmit, 0, 0}};
      m.rule_names[static_cast<int>(m.rules.size())] = fmt::format("rule{}", m.rules.size());
      m.rules.push_back(rule);
    }
  }
}

}  // namespace

TEST(CrushTool, OldBucketKindsAndTunables) {
  TempDir dir;
  for (const char* alg : {"uniform", "list", "tree", "straw", "straw2"}) {
    for (const char* profile : {"legacy", "bobtail", "firefly", "jewel"}) {
      SCOPED_TRACE(fmt::format("{} {}", alg, profile));
      run(fmt::format("crushtool -o {} --build --num_osds 23 host {} 4 rack {} 2 root {} 0",
                      dir.file("built"), alg, alg, alg));
      auto map = wire::from_bytes<CrushMap>(dir.read("built"), "crush map");
      ASSERT_TRUE(map) << map.error().text();
      EXPECT_EQ(wire::to_bytes(*map), dir.read("built"));
      map->tunables = *CrushTunables::profile(profile);
      add_test_rules(*map, "root", "host");
      expect_same_mappings(dir, *map);
    }
  }
}

TEST(CrushTool, AgreesOnTheTextForm) {
  TempDir dir;
  for (uint64_t seed = 1; seed <= 5; seed++) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    const std::string text = crush_to_text(random_crush(rng, 12));
    const std::string source = dir.write("crush.txt", Bytes::copy(text));
    EXPECT_EQ(run("crushtool -c " + source + " -o " + dir.file("compiled")), "");
    EXPECT_EQ(run("crushtool -d " + dir.file("compiled")), text);
    auto theirs = wire::from_bytes<CrushMap>(dir.read("compiled"), "crush map");
    auto ours = crush_from_text(text);
    ASSERT_TRUE(theirs && ours);
    EXPECT_EQ(crush_to_text(*ours), text);
    EXPECT_EQ(crush_to_text(*theirs), text);
  }
}

TEST(CrushTool, RandomMaps) {
  TempDir dir;
  for (uint64_t seed = 1; seed <= 6; seed++) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    CrushMap m = random_crush(rng, 20);
    m.choose_args.clear();  // crushtool --test would use them by pool only
    expect_same_mappings(dir, m);
    EXPECT_EQ(run("crushtool -i " + dir.file("crush") + " --check"), "");
  }
}

}  // namespace plimsoll::map

int main(int argc, char** argv) {
  for (const char* tool : {"osdmaptool", "crushtool", "monmaptool"}) {
    if (!plimsoll::map::run(std::string("which ") + tool).empty()) continue;
    printf("SKIP: %s is not installed\n", tool);
    return 77;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
