// SPDX-License-Identifier: LGPL-2.1-or-later
// A table with both kinds of handlers, run on a plain io_context.
#include "common/command/table.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace plimsoll::command {

namespace {

struct Counter {
  int calls = 0;
  Task<CommandReply> find(const Args& args) {
    calls++;
    co_return CommandReply(0, "found " + std::to_string(args.osd("id")));
  }
};

const Row<Counter> kRows[] = {
    {"osd find name=id,type=CephOsdName", "find an OSD", "osd", "r", 0, &Counter::find},
    {"pg name=cmd,type=CephChoices,strings=query", "query", "pg", "r", 0,
     sync<Counter>([](Counter&, const Args&) { return CommandReply::text("query"); })},
    {"pg name=cmd,type=CephChoices,strings=list_unfound", "list", "pg", "r", 0,
     sync<Counter>([](Counter&, const Args&) { return CommandReply::text("unfound"); })},
};

struct TableTest : ::testing::Test {
  TableTest() { table.add(kRows); }
  CommandReply run(std::string_view request) {
    CommandReply reply(-1, "not run");
    auto parsed = Request::parse(request);
    EXPECT_TRUE(parsed);
    auto task = [](TableTest& t, Request r, CommandReply& out) -> Task<void> {
      out = co_await t.table.run(t.counter, std::move(r), Bytes());
    };
    spawn_detached(io.get_executor(), task(*this, std::move(*parsed), reply));
    io.restart();
    io.run();
    return reply;
  }
  boost::asio::io_context io;
  Counter counter;
  Table<Counter> table;
};

}  // namespace

TEST_F(TableTest, RunsTheHandler) {
  EXPECT_EQ(run(R"({"prefix":"osd find","id":3})").outs, "found 3");
  EXPECT_EQ(counter.calls, 1);
}

TEST_F(TableTest, RefusesWhatDoesNotFit) {
  const auto unknown = run(R"({"prefix":"osd frobnicate"})");
  EXPECT_EQ(unknown.rc, -EINVAL);
  EXPECT_EQ(unknown.outs, "command not known");
  const auto missing = run(R"({"prefix":"osd find"})");
  EXPECT_EQ(missing.rc, -EINVAL);
  EXPECT_EQ(missing.outs, "missing required parameter: 'id'");
  EXPECT_EQ(counter.calls, 0);
}

TEST_F(TableTest, CommandsMayShareAPrefix) {
  EXPECT_EQ(run(R"({"prefix":"pg","cmd":"query"})").out.view(), "query");
  EXPECT_EQ(run(R"({"prefix":"pg","cmd":"list_unfound"})").out.view(), "unfound");
  EXPECT_EQ(run(R"({"prefix":"pg","cmd":"x"})").outs, "'x' not belong to 'list_unfound'");
}

TEST_F(TableTest, HelpIsSorted) {
  const auto help = table.help();
  EXPECT_EQ(help.begin()->key(), "osd find");
  EXPECT_EQ(help.at("osd find").as_string(), "find an OSD");
}

}  // namespace plimsoll::command
