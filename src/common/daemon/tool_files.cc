// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/tool_files.h"

#include "common/rt/real/files.h"

namespace plimsoll::daemon {

Result<std::unique_ptr<ByteSink>> open_output(const std::string& path) {
  return real::open_output(path);
}

Result<std::unique_ptr<ByteSource>> open_input(const std::string& path) {
  return real::open_input(path);
}

}  // namespace plimsoll::daemon
