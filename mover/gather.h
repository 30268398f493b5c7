// SPDX-License-Identifier: LGPL-2.1-or-later
// A Dump of a live cluster, or of files.
#pragma once

#include "mover/cluster.h"
#include "mover/model/dump.h"

namespace plimsoll::mover {

/// The map is taken before and after everything else, and all again when it has changed meanwhile;
/// after a few tries what there is counts, with a warning: reports are never of one moment.
Result<Dump> gather(Cluster& cluster);

/// What gather wrote ("-" is standard input), or a directory of what `ceph` prints.
Result<Dump> load_dump(const std::string& path);

}  // namespace plimsoll::mover
