// SPDX-License-Identifier: LGPL-2.1-or-later
// The command tables of all parts, collected by CMake from plimsoll_documents_commands().
#pragma once

#include <vector>

#include "common/command/spec.h"

namespace plimsoll::docgen {

struct CommandTable {
  const char* title;
  std::vector<command::Spec> (*specs)();
};
std::vector<CommandTable> command_tables();

}  // namespace plimsoll::docgen
