// SPDX-License-Identifier: LGPL-2.1-or-later
// One libFuzzer program per target (the macro FUZZ_TARGET names it); its own mutators, our seeds.
// `fuzz_<target> --seeds DIR` writes the seeds as files to start a corpus from.
#include <filesystem>
#include <fstream>

#include "qa/fuzz/targets.h"

using plimsoll::fuzz::find_target;
using plimsoll::fuzz::Target;

namespace {

const Target& target() {
  static const Target* const found = find_target(FUZZ_TARGET);
  CHECK(found);
  return *found;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  if (*argc != 3 || std::string((*argv)[1]) != "--seeds") return 0;
  const std::filesystem::path dir = (*argv)[2];
  std::filesystem::create_directories(dir);
  plimsoll::Rng rng(7);
  int n = 0;
  for (const std::string& seed : target().seeds(rng))
    std::ofstream(dir / std::to_string(n++), std::ios::binary) << seed;
  exit(0);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  target().run(plimsoll::Bytes::copy({reinterpret_cast<const char*>(data), size}));
  return 0;
}
