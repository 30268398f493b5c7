// SPDX-License-Identifier: LGPL-2.1-or-later
// ceph.conf: sections of "key = value", comments by # and ;, a backslash before the end of a line
// continues it, values may be quoted. Spaces, dashes and underscores in keys are equal. Pure
// parsing; which sections count for a daemon, and what a key means, is Config's business.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace plimsoll::config {

struct ConfLine {
  std::string section;  ///< "global", "osd", "osd.0"
  std::string key;      ///< normalised to underscores
  std::string value;
  int line = 0;
};

struct ConfFile {
  std::string path;
  std::vector<ConfLine> lines;

  /// EINVAL names path, line and input. At most 1 MiB of text.
  static Result<ConfFile> parse(std::string path, std::string_view text);
};

}  // namespace plimsoll::config
