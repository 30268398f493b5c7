// SPDX-License-Identifier: LGPL-2.1-or-later
// Where a program that does one thing and ends (Daemon::run_once) writes its result and reads its
// input: a file or a pipe, front to back. Blocks; a daemon that serves has no use for it.
#pragma once

#include <memory>
#include <string>

#include "common/base/stream.h"

namespace plimsoll::daemon {

/// A new file (EEXIST), which goes again where finish() is not reached; "-" is standard output.
Result<std::unique_ptr<ByteSink>> open_output(const std::string& path);
/// "-" is standard input.
Result<std::unique_ptr<ByteSource>> open_input(const std::string& path);

}  // namespace plimsoll::daemon
