// SPDX-License-Identifier: LGPL-2.1-or-later
// The monitor's commands: one table, filled by one file per family. Signatures are Ceph's in
// meaning, so that the stock tool's validation, help and completion work. Commands that Ceph's
// manager answers are here too, without the flag that would send clients to a manager.
#pragma once

#include <string>
#include <vector>

#include "common/command/table.h"
#include "mon/services.h"

namespace plimsoll::mon {

class Sessions;
struct CommandContext;
using CommandTable = command::Table<CommandContext>;
using CommandRow = command::Row<CommandContext>;

/// What a command works on, and who gave it.
struct CommandContext {
  Services& services;
  const Sessions& sessions;
  const CommandTable& table;
  std::string entity;  ///< "client.admin"
  EntityAddr addr;
};

/// The whole table.
void add_commands(CommandTable& table);
/// Its signatures, for the docs.
std::vector<command::Spec> command_specs();
/// From a command message's pieces to a reply; changes go to the audit log.
Task<command::CommandReply> run_mon_command(CommandContext& context,
                                            const std::vector<std::string>& pieces, Bytes input);

void add_auth_commands(CommandTable& table);
void add_config_commands(CommandTable& table);
void add_crush_commands(CommandTable& table);
void add_crush_queries(CommandTable& table);
void add_fs_commands(CommandTable& table);
void add_log_commands(CommandTable& table);
void add_mgr_commands(CommandTable& table);
void add_mon_commands(CommandTable& table);
void add_osd_commands(CommandTable& table);
void add_osd_id_commands(CommandTable& table);
void add_osd_map_queries(CommandTable& table);
void add_osd_queries(CommandTable& table);
void add_pg_commands(CommandTable& table);
void add_pg_queries(CommandTable& table);
void add_pool_commands(CommandTable& table);
void add_pool_queries(CommandTable& table);
void add_space_commands(CommandTable& table);
void add_status_commands(CommandTable& table);

}  // namespace plimsoll::mon
