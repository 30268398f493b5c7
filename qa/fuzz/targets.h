// SPDX-License-Identifier: LGPL-2.1-or-later
// Fuzz targets: every place where bytes from outside are first understood. A target takes any bytes
// and aborts only if one of our promises breaks: decoding is total, what was accepted can be
// encoded and read back to the same, and what a decoded value is used for ends. The same targets
// run under libFuzzer (fuzz_main.cc) and, with a fixed number of mutated seeds, as a unit test
// (mutation_test.cc).
#pragma once

#include <string>
#include <vector>

#include "common/base/rng.h"
#include "common/wire/codec.h"

namespace plimsoll::fuzz {

struct Target {
  const char* name;
  void (*run)(Bytes input);
  /// Valid inputs to start from.
  std::vector<std::string> (*seeds)(Rng& rng);
};

/// Null for an unknown name.
const Target* find_target(const std::string& name);
const std::vector<Target>& all_targets();

/// What encodes to these bytes is stable: decoding them again and encoding gives them again.
template <class T>
void check_stable(const T& value) {
  const Bytes first = wire::to_bytes(value);
  auto back = wire::from_bytes<T>(first, "own encoding");
  CHECK_NOTE(back, "what we encode can be decoded");
  CHECK_NOTE(wire::to_bytes(*back) == first, "encoding is stable");
}

// frames_targets.cc
void run_frames(Bytes input);
void run_handshake(Bytes input);
std::vector<std::string> frame_seeds(Rng& rng);
std::vector<std::string> handshake_seeds(Rng& rng);
// message_targets.cc
void run_messages(Bytes input);
std::vector<std::string> message_seeds(Rng& rng);
// map_targets.cc
void run_osd_map(Bytes input);
void run_incremental(Bytes input);
void run_crush_map(Bytes input);
void run_crush_text(Bytes input);
void run_small_maps(Bytes input);
std::vector<std::string> osd_map_seeds(Rng& rng);
std::vector<std::string> incremental_seeds(Rng& rng);
std::vector<std::string> crush_map_seeds(Rng& rng);
std::vector<std::string> crush_text_seeds(Rng& rng);
std::vector<std::string> small_map_seeds(Rng& rng);
// store_targets.cc
void run_transaction(Bytes input);
void run_onode(Bytes input);
void run_superblock(Bytes input);
void run_commit_record(Bytes input);
void run_export(Bytes input);
std::vector<std::string> transaction_seeds(Rng& rng);
std::vector<std::string> onode_seeds(Rng& rng);
std::vector<std::string> superblock_seeds(Rng& rng);
std::vector<std::string> commit_record_seeds(Rng& rng);
std::vector<std::string> export_seeds(Rng& rng);
// text_targets.cc
void run_conf(Bytes input);
void run_command(Bytes input);
void run_texts(Bytes input);
std::vector<std::string> conf_seeds(Rng& rng);
std::vector<std::string> command_seeds(Rng& rng);
std::vector<std::string> text_seeds(Rng& rng);
// mover_targets.cc
void run_mover_dump(Bytes input);
void run_mover_plan(Bytes input);
std::vector<std::string> mover_dump_seeds(Rng& rng);
std::vector<std::string> mover_plan_seeds(Rng& rng);

}  // namespace plimsoll::fuzz
