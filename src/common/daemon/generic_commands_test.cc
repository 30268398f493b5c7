// SPDX-License-Identifier: LGPL-2.1-or-later
// The generic commands over a real admin socket, as bytes: Ceph's framing and Ceph's answers.
#include "common/daemon/generic_commands.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "common/rt/real/real_runtime.h"

namespace plimsoll::daemon {

namespace {

config::Identity osd0() {
  config::Identity who;
  who.type = "osd";
  who.id = "0";
  return who;
}

/// A server on its own thread; ask() is a client of it.
struct AdminTest : ::testing::Test {
  AdminTest() {
    char dir[] = "/tmp/plimsoll-asok-XXXXXX";
    dir_ = ::mkdtemp(dir);
    path_ = dir_ + "/osd.0.asok";
    add_generic_commands(admin_.table(), config_, counters_);
    const auto listening = admin_.listen(path_);
    EXPECT_TRUE(listening);
    server_ = std::thread([this] { runtime_.run(); });
  }
  ~AdminTest() override {
    auto end = [](command::AdminSocket& admin, real::RealRuntime& rt) -> Task<void> {
      co_await admin.stop();
      rt.stop();
    };
    spawn_detached(runtime_.executor(), end(admin_, runtime_));
    server_.join();
    std::filesystem::remove_all(dir_);
  }

  int connect() {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un addr{};
    addr.sun_family = AF_UNIX;
    std::strncpy(addr.sun_path, path_.c_str(), sizeof addr.sun_path - 1);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&addr), sizeof addr), 0);
    return fd;
  }
  /// What comes back until the end, length word included.
  std::string raw(std::string_view bytes, bool shut = false) {
    const int fd = connect();
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) break;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    if (shut) ::shutdown(fd, SHUT_WR);
    std::string out;
    char chunk[4096];
    for (ssize_t n; (n = ::recv(fd, chunk, sizeof chunk, 0)) > 0;)
      out.append(chunk, static_cast<size_t>(n));
    ::close(fd);
    return out;
  }
  std::string ask(std::string request) {
    const std::string answer = raw(request + '\0');
    EXPECT_GE(answer.size(), 4u);
    if (answer.size() < 4) return "";
    uint32_t length = 0;
    for (int i = 0; i < 4; i++)
      length = length << 8 | static_cast<uint8_t>(answer[static_cast<size_t>(i)]);
    EXPECT_EQ(length, answer.size() - 4);
    return answer.substr(4);
  }
  std::string run(const std::string& prefix, const std::string& more = "") {
    return ask(R"({"prefix":")" + prefix + "\"" + more + "}");
  }

  std::string dir_, path_;
  real::RealRuntime runtime_;
  config::Config config_{osd0()};
  metrics::Counters counters_{"osd"};
  command::AdminSocket admin_{runtime_, Logger(log::Subsystem::kAsok, "osd.0")};
  std::thread server_;
};

}  // namespace

TEST_F(AdminTest, AnswersAsCephDoes) {
  EXPECT_EQ(run("config get", R"(,"var":"osd_max_backfills")"),
            "{\n    \"osd_max_backfills\": \"1\"\n}\n");
  EXPECT_EQ(run("config get", R"(,"var":"osd_max_backfills","format":"json")"),
            R"({"osd_max_backfills":"1"})");
  EXPECT_EQ(run("config get", R"(,"var":"nosuchoption")"),
            "ERROR: (2) No such file or directory\n"
            "error getting 'nosuchoption': (2) No such file or directory\n");
  EXPECT_EQ(run("config set", R"(,"var":"osd_max_backfills","val":["4"])"),
            "{\n    \"success\": \"osd_max_backfills = '4' \"\n}\n");
  EXPECT_EQ(config_.osd_max_backfills(), 4u);
  EXPECT_EQ(run("config set", R"(,"var":"osd_max_backfills","val":["banana"])"),
            "ERROR: (22) Invalid argument\n"
            "error setting 'osd_max_backfills' to 'banana': (22) Invalid argument\n");
  EXPECT_EQ(run("config unset", R"(,"var":"osd_max_backfills")"), "{}\n");
  EXPECT_EQ(config_.osd_max_backfills(), 1u);
  EXPECT_EQ(run("log flush"), "{}\n");
  EXPECT_EQ(run("perf reset", R"(,"var":"all")"), "{\n    \"success\": \"perf reset all\"\n}\n");
  EXPECT_EQ(run("0"), "2");
}

TEST_F(AdminTest, WithoutTcmallocThereIsNoHeapToAsk) {
  const char* const refused =
      "ERROR: (95) Operation not supported\n"
      "could not issue heap profiler command -- not using tcmalloc!\n";
  EXPECT_EQ(run("heap", R"(,"heapcmd":"stats")"), refused);
  EXPECT_EQ(run("heap", R"(,"heapcmd":"release")"), refused);
}

TEST_F(AdminTest, PerfDumpPrintsNineDecimals) {
  counters_.add_time(metrics::Counter::osd_op_latency, 1500us);
  EXPECT_EQ(run("perf dump", R"(,"logger":"osd","counter":"op_latency","format":"json")"),
            R"({"osd":{"op_latency":{"avgcount":1,"sum":0.001500000,"avgtime":0.001500000}}})");
}

TEST_F(AdminTest, DescriptionsAndHelpParse) {
  const auto descriptions = boost::json::parse(run("get_command_descriptions"));
  EXPECT_EQ(descriptions.at("cmd000").at("sig").as_array().at(0).as_string(), "0");
  const auto help = boost::json::parse(run("help"));
  EXPECT_TRUE(help.as_object().contains("config show"));
  EXPECT_FALSE(help.as_object().contains("0"));
}

TEST_F(AdminTest, PlainWordsWork) {
  EXPECT_EQ(raw("config get osd_max_backfills\n").substr(4),
            "{\n    \"osd_max_backfills\": \"1\"\n}\n");
}

TEST_F(AdminTest, MalformedInputGetsAnError) {
  EXPECT_EQ(ask("{"), "ERROR: (22) Invalid argument\nunparseable JSON {\n");
  EXPECT_EQ(ask(R"({"x":1})"), "ERROR: (22) Invalid argument\ncommand prefix not found\n");
  EXPECT_EQ(run("nosuchcommand"), "ERROR: (22) Invalid argument\ncommand not known\n");
  EXPECT_EQ(run("config get"), "ERROR: (22) Invalid argument\nmissing required parameter: 'var'\n");
  EXPECT_NE(ask(std::string(200 << 10, 'x')).find("larger than"), std::string::npos);
  EXPECT_EQ(raw("", true), "");
  EXPECT_EQ(run("config get", R"(,"var":"fsid")").substr(0, 1), "{");
}

TEST_F(AdminTest, ManyAtOnceWait) {
  std::vector<int> idle;
  for (size_t i = 0; i < command::AdminSocket::kMaxRequests - 1; i++) idle.push_back(connect());
  EXPECT_EQ(run("0"), "2");
  for (int fd : idle) ::close(fd);
}

TEST_F(AdminTest, SecondServerIsRefused) {
  command::AdminSocket other(runtime_, Logger(log::Subsystem::kAsok));
  const auto listening = other.listen(path_);
  ASSERT_FALSE(listening);
  EXPECT_EQ(listening.error().code(), EADDRINUSE);
}

TEST(DebugLevels, EverySubsystemHasItsOption) {
  for (size_t s = 0; s < static_cast<size_t>(log::Subsystem::kCount); s++) {
    const std::string name =
        std::string("debug_") + log::subsystem_name(static_cast<log::Subsystem>(s));
    EXPECT_NE(config::find_option(name), nullptr) << name;
  }
}

}  // namespace plimsoll::daemon
