// SPDX-License-Identifier: LGPL-2.1-or-later
// CopySource: where COPY_FROM gets another object from, whichever OSD holds it. The OSD's is
// osd/copier.
#pragma once

#include <map>
#include <string>

#include "common/base/result.h"
#include "common/rt/task.h"
#include "common/wire/types.h"

namespace plimsoll::osd {

struct ObjectCopy {
  Bytes data;
  std::map<std::string, Bytes> attrs;  ///< users' own, without the stored prefix
  Bytes omap_header;
  std::map<std::string, Bytes> omap;
  Utime mtime;
};

class CopySource {
 public:
  virtual ~CopySource() = default;
  /// The head of `oid`, whole. ENOENT; EAGAIN where it changed meanwhile; EFBIG above `max_bytes`
  /// of data and omap. From any shard.
  virtual Task<Result<ObjectCopy>> fetch(ObjectLocator from, std::string oid,
                                         uint64_t max_bytes) = 0;
};

}  // namespace plimsoll::osd
