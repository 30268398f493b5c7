// SPDX-License-Identifier: LGPL-2.1-or-later
// A Dump as one JSON document, with only what DumpReader::file() reads: no addresses, no object
// names, about a fifteenth of what `pg dump` prints (doc/formats/mover_dump.md). The same dump
// gives the same bytes.
#pragma once

#include "common/base/stream.h"
#include "mover/model/dump.h"

namespace plimsoll::mover {

Result<> write_dump(const Dump& dump, ByteSink& sink);

}  // namespace plimsoll::mover
