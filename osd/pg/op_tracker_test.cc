// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/op_tracker.h"

#include <gtest/gtest.h>

namespace plimsoll::osd {
namespace {

class HandClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  Utime wall() const override {
    return Utime::from_nanos(1'000'000'000'000 + (now_ - TimePoint()).count());
  }
  Timer call_after(const Executor&, Duration, std::function<void()>) override { return {}; }
  void advance(Duration d) { now_ = now_ + d; }

 private:
  TimePoint now_{};
};

class NamedConnection final : public messenger::Connection {
 public:
  explicit NamedConnection(const char* addr) : addr_(*EntityAddr::parse(addr)) {}
  void send(msg::RawMessage) override {}
  void close() override {}
  bool is_open() const override { return true; }
  void keepalive() override {}
  TimePoint last_keepalive_ack() const override { return {}; }
  EntityName peer() const override { return {EntityType::kClient, 4100}; }
  EntityAddr peer_addr() const override { return addr_; }
  EntityAddr peer_socket_addr() const override { return addr_; }
  const messenger::AuthResult& auth() const override { return auth_; }

 private:
  EntityAddr addr_;
  messenger::AuthResult auth_;
};

class OpTrackerTest : public ::testing::Test {
 protected:
  ClientOpRef start(uint64_t tid, const char* addr = "10.0.0.1:0/7") {
    msg::RawMessage raw;
    raw.tid = tid;
    return tracker_->start(std::make_shared<NamedConnection>(addr), msg::MOsdOp(), raw);
  }
  void finish_after(uint64_t tid, Duration took) {
    auto op = start(tid);
    clock_.advance(took);
  }
  static std::vector<uint64_t> tids(const std::vector<OpDump>& ops) {
    std::vector<uint64_t> out;
    for (const auto& op : ops)
      out.push_back(op.json.at("type_data").at("client_info").at("tid").to_number<uint64_t>());
    return out;
  }

  HandClock clock_;
  OpTrackerLimits limits_{3, 600s, 2, 10s};
  std::shared_ptr<OpTracker> tracker_ =
      std::make_shared<OpTracker>(clock_, [this] { return limits_; });
};

TEST_F(OpTrackerTest, EventsSayWhenAndHowLong) {
  auto op = start(1);
  clock_.advance(2s);
  op->note("started");
  clock_.advance(3s);
  auto running = tracker_->dump_in_flight({});
  ASSERT_EQ(running.size(), 1u);
  EXPECT_EQ(running[0].took, 5s);
  EXPECT_EQ(running[0].json.at("type_data").at("flag_point").as_string(), "started");
  op.reset();
  EXPECT_TRUE(tracker_->dump_in_flight({}).empty());

  const auto past = tracker_->dump_history({});
  ASSERT_EQ(past.size(), 1u);
  const auto& events = past[0].json.at("type_data").at("events").as_array();
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].at("event").as_string(), "initiated");
  EXPECT_EQ(events[0].at("duration").as_double(), 2);
  EXPECT_EQ(events[1].at("event").as_string(), "started");
  EXPECT_EQ(events[1].at("duration").as_double(), 3);
  EXPECT_EQ(events[1].at("time").as_string(), Utime::from_nanos(1'002'000'000'000).to_string());
  EXPECT_EQ(events[2].at("event").as_string(), "done");
  EXPECT_EQ(events[2].at("duration").as_double(), 5);
}

TEST_F(OpTrackerTest, EventsAreBounded) {
  auto op = start(1);
  for (size_t i = 0; i < 3 * OpEvents::kMost; i++) op->note("again");
  op->note("last");
  EXPECT_EQ(op->events.end() - op->events.begin(), static_cast<ptrdiff_t>(OpEvents::kMost));
  EXPECT_STREQ(op->events.last().name, "last");
  EXPECT_STREQ(op->events.begin()->name, "initiated");
}

TEST_F(OpTrackerTest, KeepsTheSlowestAndForgetsOldOnes) {
  for (uint64_t tid : {5, 1, 4, 2, 3}) finish_after(tid, std::chrono::seconds(tid));
  EXPECT_EQ(tids(tracker_->dump_history({})), (std::vector<uint64_t>{5, 4, 3}));
  clock_.advance(598s);
  finish_after(6, 1s);
  EXPECT_EQ(tids(tracker_->dump_history({})), (std::vector<uint64_t>{3, 6}));
}

TEST_F(OpTrackerTest, KeepsTheLastSlowOnes) {
  for (uint64_t tid : {1, 2, 3}) finish_after(tid, 11s);
  finish_after(4, 10s);
  EXPECT_EQ(tids(tracker_->dump_slow({})), (std::vector<uint64_t>{2, 3}));
}

TEST_F(OpTrackerTest, SelectsByAgeAndAddress) {
  auto a = start(1, "10.0.0.1:0/7");
  clock_.advance(5s);
  auto b = start(2, "10.0.0.2:0/8");
  clock_.advance(1s);
  EXPECT_EQ(tids(tracker_->dump_in_flight({}, 3s)), (std::vector<uint64_t>{1}));
  const auto selected = [&](std::vector<std::string> texts) {
    return tids(tracker_->dump_in_flight(OpFilter(texts)));
  };
  EXPECT_EQ(selected({"10.0.0.2"}), (std::vector<uint64_t>{2}));
  EXPECT_EQ(selected({"10.0.0.1:0/7", "10.0.0.2"}), (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(selected({"10.0.0.1:0/8"}), (std::vector<uint64_t>{}));
  EXPECT_EQ(selected({"10.0.0.3"}), (std::vector<uint64_t>{}));
  EXPECT_EQ(selected({"no address"}), (std::vector<uint64_t>{1, 2}));
}

}  // namespace
}  // namespace plimsoll::osd
