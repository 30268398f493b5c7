// SPDX-License-Identifier: LGPL-2.1-or-later
// What the mover reads: dumps of clusters and plans, written by other programs or by hand.
#include <boost/json/serialize.hpp>

#include "common/map/osd_map_dump.h"
#include "common/map/test_maps.h"
#include "mover/model/dump_reader.h"
#include "mover/model/dump_writer.h"
#include "mover/model/state_builder.h"
#include "mover/plan_file.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

/// A map may say that it has a million PGs in a few bytes.
constexpr uint64_t kMaxPgs = 500;

class StringSink : public ByteSink {
 public:
  Result<> write(std::string_view data) override {
    text += data;
    return {};
  }
  Result<> finish() override { return {}; }
  std::string text;
};

std::string print(const mover::Dump& dump) {
  StringSink sink;
  CHECK(mover::write_dump(dump, sink));
  return std::move(sink.text);
}

Result<mover::Dump> read(std::string_view text) {
  mover::MemorySource source(text);
  mover::DumpReader reader;
  auto done = reader.file(source, "input");
  if (!done) return done.error();
  return reader.finish();
}

void check_error(const Error& error) {
  CHECK(error.code() == EINVAL);
  CHECK(!error.text().empty());
}

}  // namespace

void run_mover_dump(Bytes input) {
  auto dump = read(input.view());
  if (!dump) return check_error(dump.error());
  const std::string first = print(*dump);
  auto again = read(first);
  CHECK_NOTE(again, "what we write can be read");
  CHECK_NOTE(print(*again) == first, "writing is stable");
  if (dump->map.num_pgs() > kMaxPgs) return;
  const mover::State state = mover::build_state(*dump);
  CHECK(state.num_pgs() == dump->map.num_pgs());
  CHECK(state.first_position.back() == state.up.size());
  CHECK(state.acting.size() == state.up.size() && state.shard_bytes.size() == state.up.size());
}

void run_mover_plan(Bytes input) {
  mover::MemorySource source(input.view());
  auto file = mover::read_plan_file(source, "input");
  if (!file) return check_error(file.error());
  const std::string first = mover::print_plan_file(*file);
  mover::MemorySource own(first);
  auto again = mover::read_plan_file(own, "own");
  CHECK_NOTE(again, "what we write can be read");
  CHECK_NOTE(mover::print_plan_file(*again) == first, "writing is stable");
}

std::vector<std::string> mover_dump_seeds(Rng& rng) {
  std::vector<std::string> out;
  for (int i = 0; i < 4; i++) {
    mover::Dump dump;
    dump.map = i < 2 ? map::make_cluster({.hosts = 3 + i, .classes = i, .pg_num = 8})
                     : map::random_map(rng);
    for (PgId pg : dump.map.all_pgs()) {
      const auto acting = dump.map.map_pg(pg).acting;
      dump.pgs.push_back({pg, 3, 1 << 20, 10, 5, true, static_cast<uint32_t>(dump.acting.size()),
                          static_cast<uint32_t>(acting.size())});
      dump.acting.insert(dump.acting.end(), acting.begin(), acting.end());
    }
    for (OsdId osd : dump.map.osds())
      dump.osds[osd] = {1 << 30, 1 << 29, 1 << 28, 1, 2, 4096, true, {{{1, 0}, 4096}}};
    dump.cordoned = {1};
    dump.growth_per_day = {{1, 7}};
    out.push_back(print(dump));
  }
  return out;
}

std::vector<std::string> mover_plan_seeds(Rng&) {
  mover::PlanFile file;
  file.pools = {{1, "data"}};
  file.plan.goal.move = mover::HandMove{{1, 2}, 3, 4};
  file.plan.goal.devices = {1, 2};
  for (uint32_t i = 0; i < 3; i++) {
    mover::Move m;
    m.pg = {1, i};
    m.from = 1;
    m.to = 2;
    m.wave = i;
    m.items_after = {{1, 2}};
    file.plan.moves.push_back(m);
  }
  file.plan.blocked = {{.osd = 4, .pg = {1, 2}, .detail = "no room"}};
  file.plan.advice = {{mover::Advice::Kind::kDelete, "x", 1, 0, "delete"}};
  file.plan.dead_entries = {{{1, 5}, {{1, 2}}, {}}};
  return {mover::print_plan_file(file), mover::print_plan_file({})};
}

}  // namespace plimsoll::fuzz
