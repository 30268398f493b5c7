// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts as Ceph's plain outputs have them: times and sets of OSDs.
#pragma once

#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::map {

/// A point in time, or "0.000000" for what never happened: Ceph prints small times as seconds.
std::string stamp_text(Utime t);
/// "[1,2,0]"
std::string osd_set_text(const std::vector<int32_t>& osds);

}  // namespace plimsoll::map
