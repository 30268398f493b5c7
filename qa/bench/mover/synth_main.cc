// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-mover-synth: writes a synthetic cluster for benchmarks and tests with stock tools.
#include <fmt/format.h>

#include <cstdlib>
#include <functional>
#include <map>
#include <string>

#include "qa/bench/mover/synth.h"
#include "qa/bench/mover/synth_files.h"

namespace {

constexpr const char* kUsage =
    R"(usage: plimsoll-mover-synth --osds N [--seed S] [--dump DIR] [--osdmap FILE] [options]

  --osds N       a multiple of 10
  --seed S       another cluster of the same shape
  --dump DIR     osd_dump.json, crush_dump.json, pg_dump.json, osd_df.json
  --osdmap FILE  the binary map, for osdmaptool and ceph-mon --mkfs
  --hdd-fill F   mean fill of hdd devices, 0.78
  --ssd-fill F   of ssd devices, 0.63
  --sigma S      of the logarithm of PG sizes, 0.35
  --out OSD      this one is out
  --down         OSDs exist and are in, but down
)";

}  // namespace

int main(int argc, char** argv) {
  using namespace plimsoll;
  mover::SynthShape shape;
  std::string dump_dir, map_file;
  const std::map<std::string, std::function<void(const char*)>> options{
      {"--osds", [&](const char* v) { shape.osds = std::atoi(v); }},
      {"--seed", [&](const char* v) { shape.seed = std::strtoull(v, nullptr, 10); }},
      {"--dump", [&](const char* v) { dump_dir = v; }},
      {"--osdmap", [&](const char* v) { map_file = v; }},
      {"--hdd-fill", [&](const char* v) { shape.hdd_fill = std::atof(v); }},
      {"--ssd-fill", [&](const char* v) { shape.ssd_fill = std::atof(v); }},
      {"--out", [&](const char* v) { shape.out = std::atoi(v); }},
      {"--sigma", [&](const char* v) { shape.sigma = std::atof(v); }}};
  for (int i = 1; i < argc; i++) {
    if (std::string_view(argv[i]) == "--down") {
      shape.up = false;
      continue;
    }
    const auto option = options.find(argv[i]);
    if (option == options.end() || i + 1 == argc) {
      fmt::print(stderr, "{}", kUsage);
      return 1;
    }
    option->second(argv[++i]);
  }
  if (shape.osds <= 0 || shape.osds % 10 != 0 || (dump_dir.empty() && map_file.empty())) {
    fmt::print(stderr, "{}", kUsage);
    return 1;
  }
  const mover::Dump dump = mover::make_synth(shape);
  if (!dump_dir.empty()) mover::write_dump(dump, dump_dir);
  if (!map_file.empty()) mover::write_osd_map(dump.map, map_file);
  fmt::print("{} OSDs, {} PGs\n", shape.osds, dump.pgs.size());
  return 0;
}
