// SPDX-License-Identifier: LGPL-2.1-or-later
// The FSMap of a cluster without file systems: what `fs dump`, `fs ls` and status show of it.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "common/wire/types.h"

namespace plimsoll::map {

struct FSMap {
  Epoch epoch = 1;
  bool operator==(const FSMap&) const = default;
};

/// `fs dump -f json`
boost::json::object dump_fs_map(const FSMap& map);
/// `fs dump`
std::string print_fs_map(const FSMap& map);
/// "fsmap" of `status -f json`
boost::json::object dump_fs_map_summary(const FSMap& map);

}  // namespace plimsoll::map
