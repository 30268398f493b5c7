// SPDX-License-Identifier: LGPL-2.1-or-later
// The text form of CRUSH maps that people edit: what `crushtool -d` writes and `crushtool -c`
// reads.
#pragma once

#include <string>
#include <string_view>

#include "common/map/crush_map.h"

namespace plimsoll::map {

std::string crush_to_text(const CrushMap& map);
/// EINVAL names the line and the word. Shadow trees are made from the devices' classes.
Result<CrushMap> crush_from_text(std::string_view text);

}  // namespace plimsoll::map
