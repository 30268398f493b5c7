// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/metrics/counters.h"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace plimsoll::metrics {

using namespace std::chrono_literals;
namespace json = boost::json;

TEST(Counters, DumpHasCephsShape) {
  Counters c("osd");
  c.inc(Counter::osd_op, 3);
  c.set(Counter::osd_numpg, 41);
  c.dec(Counter::osd_numpg);
  c.add_time(Counter::osd_op_latency, 1500ms);
  c.add_time(Counter::osd_op_latency, 500ms);
  const auto osd = c.dump("osd");
  EXPECT_EQ(osd.size(), 1u);
  EXPECT_EQ(osd.at("osd").at("op").as_uint64(), 3u);
  EXPECT_EQ(osd.at("osd").at("numpg").as_uint64(), 40u);
  const auto& latency = osd.at("osd").at("op_latency").as_object();
  EXPECT_EQ(latency.at("avgcount").as_uint64(), 2u);
  EXPECT_DOUBLE_EQ(latency.at("sum").as_double(), 2.0);
  EXPECT_DOUBLE_EQ(latency.at("avgtime").as_double(), 1.0);
  EXPECT_EQ(json::serialize(c.dump("osd", "op")), R"({"osd":{"op":3}})");
  EXPECT_TRUE(c.dump("osd", "nosuch").empty());
}

TEST(Counters, EachServiceSeesItsGroups) {
  const auto osd = Counters("osd").dump();
  EXPECT_TRUE(osd.contains("osd"));
  EXPECT_TRUE(osd.contains("AsyncMessenger::Worker-0"));
  EXPECT_FALSE(osd.contains("paxos"));
  EXPECT_TRUE(Counters("mon").dump().contains("paxos"));
}

TEST(Counters, SchemaSaysTypes) {
  const auto schema = Counters("osd").schema("osd");
  const auto& osd = schema.at("osd").as_object();
  EXPECT_EQ(osd.at("op").at("type").as_int64(), 10);
  EXPECT_EQ(osd.at("op").at("metric_type").as_string(), "counter");
  EXPECT_EQ(osd.at("op_latency").at("type").as_int64(), 5);
  EXPECT_EQ(osd.at("op_latency").at("value_type").as_string(), "real-integer-pair");
  EXPECT_EQ(osd.at("op_in_bytes").at("units").as_string(), "bytes");
  EXPECT_EQ(osd.at("numpg").at("type").as_int64(), 2);
}

TEST(Counters, ResetKeepsGauges) {
  Counters c("osd");
  c.inc(Counter::osd_op);
  c.inc(Counter::objecter_op);
  c.set(Counter::osd_numpg, 2);
  EXPECT_TRUE(c.reset("osd"));
  EXPECT_EQ(c.get(Counter::osd_op), 0u);
  EXPECT_EQ(c.get(Counter::osd_numpg), 2u);
  EXPECT_EQ(c.get(Counter::objecter_op), 1u);
  EXPECT_TRUE(c.reset("all"));
  EXPECT_EQ(c.get(Counter::objecter_op), 0u);
  EXPECT_FALSE(c.reset("nosuch"));
}

TEST(Counters, PrometheusText) {
  Counters c("osd");
  c.inc(Counter::osd_op, 7);
  c.add_time(Counter::osd_op_latency, 250ms);
  const std::string text = c.prometheus("osd.0");
  EXPECT_NE(text.find("# TYPE ceph_osd_op counter\nceph_osd_op{ceph_daemon=\"osd.0\"} 7\n"),
            text.npos);
  EXPECT_NE(text.find("ceph_osd_op_latency_sum{ceph_daemon=\"osd.0\"} 0.250000000\n"), text.npos);
  EXPECT_NE(text.find("ceph_osd_op_latency_count{ceph_daemon=\"osd.0\"} 1\n"), text.npos);
}

TEST(Counters, DocsListEveryGroup) {
  const std::string text = counters_markdown();
  EXPECT_NE(text.find("## throttle-osd_client_bytes"), text.npos);
  EXPECT_NE(text.find("| `op_latency` | time, average |"), text.npos);
}

}  // namespace plimsoll::metrics
