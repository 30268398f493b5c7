// SPDX-License-Identifier: LGPL-2.1-or-later
// Prints doc/protocols/messages.md. A test compares the file with it.
#include <fmt/core.h>

#include "common/msg/message.h"

int main() {
  fmt::print("# Messages\n\n");
  fmt::print(
      "Generated from `src/common/msg/messages.inc` by `common_msg_doc`. Ids below 0x8000 and\n");
  fmt::print("their layouts are Ceph's; the others travel between our own daemons only.\n\n");
  fmt::print("| id | message | from | to | what it is |\n| --- | --- | --- | --- | --- |\n");
  for (const auto& row : plimsoll::msg::message_table()) {
    const std::string id =
        row.id < 0x100 ? fmt::format("{}", row.id) : fmt::format("0x{:x}", row.id);
    fmt::print("| {} | {} | {} | {} | {} |\n", id, row.type, row.from, row.to, row.help);
  }
}
