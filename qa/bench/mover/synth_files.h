// SPDX-License-Identifier: LGPL-2.1-or-later
// A synthetic cluster as files: the JSON documents that `ceph` prints, and the map for osdmaptool.
#pragma once

#include <string>

#include "mover/model/dump.h"

namespace plimsoll::mover {

/// osd_dump.json, crush_dump.json, pg_dump.json (with what the mover reads, no more) and
/// osd_df.json in `directory`, which is made.
void write_dump(const Dump& dump, const std::string& directory);
/// The encoded map, as `ceph osd getmap` gives it.
void write_osd_map(const map::OSDMap& map, const std::string& path);

}  // namespace plimsoll::mover
