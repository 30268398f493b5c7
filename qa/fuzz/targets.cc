// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

const std::vector<Target>& all_targets() {
  static const std::vector<Target> targets = {
      {"frames", run_frames, frame_seeds},
      {"handshake", run_handshake, handshake_seeds},
      {"messages", run_messages, message_seeds},
      {"osd_map", run_osd_map, osd_map_seeds},
      {"incremental", run_incremental, incremental_seeds},
      {"crush_map", run_crush_map, crush_map_seeds},
      {"crush_text", run_crush_text, crush_text_seeds},
      {"small_maps", run_small_maps, small_map_seeds},
      {"transaction", run_transaction, transaction_seeds},
      {"onode", run_onode, onode_seeds},
      {"superblock", run_superblock, superblock_seeds},
      {"commit_record", run_commit_record, commit_record_seeds},
      {"export", run_export, export_seeds},
      {"conf", run_conf, conf_seeds},
      {"command", run_command, command_seeds},
      {"texts", run_texts, text_seeds},
      {"mover_dump", run_mover_dump, mover_dump_seeds},
      {"mover_plan", run_mover_plan, mover_plan_seeds},
  };
  return targets;
}

const Target* find_target(const std::string& name) {
  for (const Target& t : all_targets())
    if (t.name == name) return &t;
  return nullptr;
}

}  // namespace plimsoll::fuzz
