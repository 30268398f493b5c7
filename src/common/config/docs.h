// SPDX-License-Identifier: LGPL-2.1-or-later
// doc/generated/options.md.
#pragma once

#include <string>

namespace plimsoll::config {

std::string options_markdown();

}  // namespace plimsoll::config
