// SPDX-License-Identifier: LGPL-2.1-or-later
// The table, conf files, the command line, and how sources override each other.
#include "common/config/config.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include <set>

#include "common/base/rng.h"
#include "common/config/arguments.h"
#include "common/config/docs.h"

namespace plimsoll::config {

namespace {

Identity osd0() {
  Identity who;
  who.type = "osd";
  who.id = "0";
  who.host = "vm";
  return who;
}

std::string error_of(const Result<>& r) {
  return r ? "" : r.error().text();
}

Result<> load(Config& c, std::string_view text) {
  TRY(file, ConfFile::parse("ceph.conf", text));
  return c.apply_file(file);
}

std::string value_error(const char* name, std::string_view text) {
  const auto v = parse_value(*find_option(name), text);
  return v ? "" : v.error().text();
}

}  // namespace

TEST(Options, TableIsSound) {
  std::set<std::string> seen;
  for (const auto& o : options()) {
    EXPECT_TRUE(seen.insert(o.name).second) << o.name;
    EXPECT_TRUE(parse_value(o, o.fallback)) << o.name;
    EXPECT_GT(std::string(o.help).size(), 5u) << o.name;
  }
  EXPECT_EQ(find_option("osd heartbeat-grace"), find_option("osd_heartbeat_grace"));
  EXPECT_EQ(find_option("nosuchoption"), nullptr);
}

TEST(Options, Sizes) {
  EXPECT_EQ(*parse_size("2G"), uint64_t{2} << 30);
  EXPECT_EQ(*parse_size("4K"), 4096u);
  EXPECT_EQ(*parse_size("4KiB"), 4096u);
  EXPECT_EQ(*parse_size("4Ki"), 4096u);
  EXPECT_EQ(*parse_size("17B"), 17u);
  EXPECT_EQ(*parse_size("7E"), uint64_t{7} << 60);
  EXPECT_EQ(parse_size("8E").error().text(), "strict_iecstrtoll: value seems to be too large");
  EXPECT_EQ(parse_size("banana").error().text(), "strict_iecstrtoll: illegal prefix (length > 2)");
  EXPECT_EQ(parse_size("-1").error().text(), "strict_iecstrtoll: value should not be negative");
  EXPECT_FALSE(parse_size("1Q"));
  EXPECT_FALSE(parse_size("KK"));
  EXPECT_FALSE(parse_size(""));
}

TEST(Options, NumbersAndTimes) {
  EXPECT_EQ(*parse_si("3K"), 3000);
  EXPECT_EQ(*parse_si("-1"), -1);
  EXPECT_EQ(parse_si("banana").error().text(), "strict_si_cast: unit prefix not recognized");
  EXPECT_FALSE(parse_si("99999999999999999999"));
  EXPECT_FALSE(parse_si("9999999999999E"));
  EXPECT_EQ(*parse_seconds("0.5"), 0.5);
  EXPECT_EQ(*parse_seconds("2 hours"), 7200);
  EXPECT_EQ(*parse_seconds("5m"), 300);
  EXPECT_FALSE(parse_seconds("5 parsecs"));
  EXPECT_FALSE(parse_seconds("-5"));
}

TEST(Options, ValuesAreChecked) {
  EXPECT_EQ(value_error("osd_max_backfills", "banana"),
            "strict_si_cast: unit prefix not recognized");
  EXPECT_EQ(value_error("osd_max_backfills", "-1"), "strict_si_cast: value should not be negative");
  EXPECT_EQ(value_error("osd_pool_default_size", "11"), "Value '11' exceeds maximum 10");
  EXPECT_EQ(value_error("osd_heartbeat_grace", "0"), "Value '0' is below minimum 1");
  EXPECT_NE(value_error("mon_allow_pool_delete", "perhaps"), "");
  EXPECT_NE(value_error("fsid", "x"), "");
  EXPECT_NE(value_error("debug_osd", "20/x"), "");
  EXPECT_EQ(value_error("debug_osd", "20/30"), "");
}

TEST(Config, DefaultsAreTyped) {
  Config c(osd0());
  EXPECT_EQ(c.osd_heartbeat_grace(), 20);
  EXPECT_EQ(c.osd_pool_default_size(), 3u);
  EXPECT_DOUBLE_EQ(c.mon_osd_full_ratio(), 0.95);
  EXPECT_FALSE(c.mon_allow_pool_delete());
  EXPECT_EQ(c.osd_max_object_size(), uint64_t{128} << 20);
  EXPECT_EQ(c.osd_data(), "/var/lib/ceph/osd/ceph-0");
  EXPECT_EQ(c.admin_socket(), "/var/run/ceph/ceph-osd.0.asok");
}

TEST(Config, SectionsKeysCommentsAndQuotes) {
  Config c(osd0());
  const auto applied = load(c,
                            "; a comment\n"
                            "run dir = /global\n"
                            "[osd.0]\n"
                            "osd-heartbeat grace = 7 # seven\n"
                            "[global]\n"
                            "osd_heartbeat_grace = 5\n"
                            "mon host = [v2:127.0.0.1:\\\n20200/0]\n"
                            "log file = \"/log;x/$name.log\" ; quoted\n"
                            "[osd]\n"
                            "osd_heartbeat_grace = 6\n"
                            "osd_block_size = 2G\n"
                            "[mon]\n"
                            "osd_block_size = broken\n"
                            "[osd.1]\n"
                            "osd_block_size = 3G\n");
  ASSERT_TRUE(applied) << error_of(applied);
  EXPECT_EQ(c.osd_heartbeat_grace(), 7);
  EXPECT_EQ(c.osd_block_size(), uint64_t{2} << 30);
  EXPECT_EQ(c.mon_host(), "[v2:127.0.0.1:20200/0]");
  EXPECT_EQ(c.log_file(), "/log;x/osd.0.log");
  EXPECT_EQ(c.admin_socket(), "/global/ceph-osd.0.asok");
}

TEST(Config, UnknownOptionsWarnAndBadLinesNameThemselves) {
  Config c(osd0());
  ASSERT_TRUE(load(c, "[global]\nkeyring = /dev/null\n"));
  ASSERT_EQ(c.warnings().size(), 1u);
  EXPECT_EQ(c.warnings()[0], "ceph.conf:2: unknown option 'keyring' is ignored");
  EXPECT_EQ(error_of(load(c, "[osd]\n\nosd shards = many\n")),
            "ceph.conf:3: osd_shards = 'many': strict_si_cast: unit prefix not recognized");
  EXPECT_EQ(error_of(load(c, "[osd\n")), "ceph.conf:1: section without ']': '[osd'");
  EXPECT_EQ(error_of(load(c, "a\n")), "ceph.conf:1: expected 'key = value': 'a'");
  EXPECT_EQ(error_of(load(c, "= 3\n")), "ceph.conf:1: no key before '=': '= 3'");
  EXPECT_EQ(error_of(load(c, "host = \"x\n")), "ceph.conf:1: quote not closed: 'host = \"x'");
  EXPECT_FALSE(load(c, std::string(2 << 20, '\n')));
}

TEST(Config, EverySourceHasItsRank) {
  Config c(osd0());
  EXPECT_EQ(*c.get("osd_max_backfills"), "1");
  c.apply_mon({{"osd_max_backfills", "2"}, {"nosuch", "1"}, {"osd_shards", "broken"}});
  EXPECT_EQ(c.osd_max_backfills(), 2u);
  ASSERT_TRUE(load(c, "osd max backfills = 3"));
  EXPECT_EQ(c.osd_max_backfills(), 3u);
  ASSERT_TRUE(c.set("osd_max_backfills", "4", Source::kCommandLine));
  EXPECT_EQ(c.osd_max_backfills(), 4u);
  ASSERT_TRUE(c.set("osd_max_backfills", "5"));
  EXPECT_EQ(c.osd_max_backfills(), 5u);
  ASSERT_TRUE(c.unset("osd_max_backfills"));
  EXPECT_EQ(c.osd_max_backfills(), 4u);
  EXPECT_EQ(
      boost::json::serialize(c.diff()),
      R"({"diff":{"osd_max_backfills":{"default":1,"mon":2,"file":3,"cmdline":4,"final":4}}})");
  c.apply_mon({});
  EXPECT_EQ(boost::json::serialize(
                c.diff_get("osd_max_backfills").value().at("diff").at("osd_max_backfills")),
            R"({"default":1,"file":3,"cmdline":4,"final":4})");
}

TEST(Config, RuntimeSet) {
  Config c(osd0());
  EXPECT_EQ(c.set("nosuch", "1").error().code(), ENOENT);
  EXPECT_EQ(c.set("osd_shards", "2").error().code(), ENOSYS);
  EXPECT_EQ(c.set("osd_max_backfills", "banana").error().code(), EINVAL);
  EXPECT_EQ(c.get("nosuch").error().code(), ENOENT);
  EXPECT_EQ(c.osd_max_backfills(), 1u);
}

TEST(Config, ObserversSeeChangesOnly) {
  Config c(osd0());
  int calls = 0;
  {
    auto observer = c.observe({Opt::osd_max_backfills, Opt::debug_osd}, [&] { calls++; });
    ASSERT_TRUE(c.set("osd_max_backfills", "1"));
    EXPECT_EQ(calls, 0);
    ASSERT_TRUE(c.set("debug_osd", "20/20"));
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(c.debug_osd(), 20);
    ASSERT_TRUE(c.set("osd_heartbeat_grace", "3"));
    EXPECT_EQ(calls, 1);
  }
  ASSERT_TRUE(c.set("osd_max_backfills", "7"));
  EXPECT_EQ(calls, 1);
}

TEST(Config, ShowAndHelpAreCephs) {
  Config c(osd0());
  const auto show = c.show();
  EXPECT_EQ(show.begin()->key(), "name");
  EXPECT_EQ(show.at("mon_osd_full_ratio").as_string(), "0.950000");
  EXPECT_EQ(show.at("ms_dispatch_throttle_bytes").as_string(), "104857600");
  EXPECT_EQ(show.at("mon_allow_pool_delete").as_string(), "false");
  EXPECT_EQ(show.at("rados_osd_op_timeout").as_string(), "0");
  const auto help = c.help("osd_max_backfills");
  ASSERT_TRUE(help);
  EXPECT_EQ(help->at("option").at("type").as_string(), "uint");
  EXPECT_EQ(help->at("option").at("default").as_uint64(), 1u);
  EXPECT_EQ(c.help("nosuch").error().code(), ENOENT);
  EXPECT_EQ(c.help("")->at("options").as_array().size(), kOptionCount);
}

TEST(Config, MetavariablesAreBounded) {
  Config c(osd0());
  c.set_pid(42);
  EXPECT_EQ(c.expand("$type.${id}@$host-$pid-$cluster-$nosuch"), "osd.0@vm-42-ceph-$nosuch");
  ASSERT_TRUE(c.set("run_dir", "$run_dir/$run_dir", Source::kFile));
  EXPECT_LT(c.run_dir().size(), 10000u);
}

TEST(Arguments, FormsOfOptions) {
  std::vector<ProgramFlag> flags{
      {"mkfs", "", "make"}, {"monmap", "file", "map"}, {"remove", "pg name", "two"}};
  const auto a =
      parse_arguments({"-c", "x.conf", "-i", "0", "-f", "--osd-shards=2", "--run_dir", "/r",
                       "--log-to-stderr", "--no-ms-crc-data", "--mkfs", "--monmap", "m", "--remove",
                       "1.0", "--name", "rest"},
                      flags);
  ASSERT_TRUE(a) << a.error().text();
  EXPECT_EQ(a->conf, "x.conf");
  EXPECT_EQ(a->id, "0");
  EXPECT_TRUE(a->foreground);
  EXPECT_TRUE(a->has_flag("mkfs"));
  EXPECT_EQ(a->flag("monmap"), "m");
  EXPECT_EQ(a->flag_values("remove"), (std::vector<std::string>{"1.0", "--name"}));
  EXPECT_EQ(a->rest, std::vector<std::string>{"rest"});
  Config c(osd0());
  ASSERT_TRUE(apply_arguments(c, *a));
  EXPECT_EQ(c.osd_shards(), 2u);
  EXPECT_EQ(c.run_dir(), "/r");
  EXPECT_TRUE(c.log_to_stderr());
  EXPECT_FALSE(c.ms_crc_data());
}

TEST(Arguments, ErrorsNameTheArgument) {
  EXPECT_EQ(parse_arguments({"--nosuch", "1"}).error().text(), "unknown option --nosuch");
  EXPECT_EQ(parse_arguments({"--run-dir"}).error().text(), "option --run-dir needs a value");
  EXPECT_EQ(parse_arguments({"--remove=1.0"}, {{"remove", "pg name", ""}}).error().text(),
            "option --remove needs a value");
  EXPECT_EQ(parse_arguments({"-x"}).error().text(), "unknown option -x");
  EXPECT_EQ(parse_arguments({"-n", "osd"}).error().text(), "'osd' is not a name: expected type.id");
  Config c(osd0());
  const auto a = parse_arguments({"--osd-shards", "many"});
  EXPECT_EQ(error_of(apply_arguments(c, *a)),
            "--osd_shards many: strict_si_cast: unit prefix not recognized");
}

TEST(ConfFile, DamagedTextsAreReadOrRefused) {
  const std::string good = "[global]\nrun dir = /x # y\n[osd.0]\nhost = \"a;b\"\nmon_host=1\\\n2\n";
  Rng rng(7);
  for (int round = 0; round < 2000; round++) {
    std::string text = good;
    for (uint64_t edits = rng.below(6); edits > 0; edits--)
      text[rng.below(text.size())] = "[]=#;\"'\\\n\0 $a"[rng.below(13)];
    text.resize(rng.below(text.size() + 1));
    Config c(osd0());
    const auto loaded = load(c, text);
    if (!loaded) EXPECT_EQ(loaded.error().text().substr(0, 10), "ceph.conf:");
  }
}

TEST(Docs, EveryOptionIsThere) {
  const std::string text = options_markdown();
  for (const auto& o : options())
    EXPECT_NE(text.find(std::string("| `") + o.name + "` |"), text.npos);
}

}  // namespace plimsoll::config
