// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/commands/commands.h"

#include <fmt/format.h>

#include "mon/commands/support.h"

namespace plimsoll::mon {

using command::CommandReply;

namespace {

CommandReply describe(CommandContext& c, const Args&) {
  // The stock tool parses this on every start: no spaces.
  return CommandReply::text(
      command::print(command::descriptions(c.table.specs(), true), command::Format::kJson));
}

const CommandRow kRows[] = {
    {"get_command_descriptions", "list all commands with their parameters", "mon", "r",
     command::kFlagHidden, query(describe)},
};

bool is_change(const CommandTable& table, const command::Request& request) {
  const Result<size_t> index = table.match(request);
  return index && table.specs()[*index]->perm.find('w') != std::string::npos;
}

}  // namespace

void add_commands(CommandTable& table) {
  table.add(kRows);
  add_status_commands(table);
  add_mon_commands(table);
  add_mgr_commands(table);
  add_osd_map_queries(table);
  add_osd_queries(table);
  add_osd_commands(table);
  add_osd_id_commands(table);
  add_pool_queries(table);
  add_pool_commands(table);
  add_pg_queries(table);
  add_pg_commands(table);
  add_space_commands(table);
  add_crush_queries(table);
  add_crush_commands(table);
  add_config_commands(table);
  add_log_commands(table);
  add_auth_commands(table);
  add_fs_commands(table);
}

std::vector<command::Spec> command_specs() {
  CommandTable table;
  add_commands(table);
  std::vector<command::Spec> out;
  for (const command::Spec* spec : table.specs()) out.push_back(*spec);
  return out;
}

Task<CommandReply> run_mon_command(CommandContext& context, const std::vector<std::string>& pieces,
                                   Bytes input) {
  Result<command::Request> request = command::Request::parse(pieces);
  if (!request) co_return CommandReply(request.error());
  if (is_change(context.table, *request))
    context.services.log.audit(fmt::format("from='{}' entity='{}' cmd={}: dispatch",
                                           context.addr.to_string(), context.entity,
                                           pieces.empty() ? "" : pieces.front()));
  co_return co_await context.table.run(context, std::move(*request), std::move(input));
}

}  // namespace plimsoll::mon
