// SPDX-License-Identifier: LGPL-2.1-or-later
// What an OSD knows of one object besides its content. ObjectInfo is stored in the attribute "_" of
// the object, next to the users' own attributes "_<name>"; the size is the store's.
#pragma once

#include "common/wire/types.h"

namespace plimsoll::osd {

inline constexpr const char* kInfoAttr = "_";
inline std::string user_attr(std::string_view name) {
  return "_" + std::string(name);
}

struct ObjectInfo {
  static constexpr wire::Envelope kEnvelope{1, 1};
  enum Flag : uint32_t { kHasOmap = 1 };
  Eversion version;  ///< of the PG log entry that wrote it last
  uint64_t user_version = 0;
  Utime mtime;  ///< as the client says
  ReqId last_reqid;
  uint32_t flags = 0;
  uint32_t truncate_seq = 0;  ///< newest truncation by a file system, and its size
  uint64_t truncate_size = 0;
  template <class F>
  void fields(F& f) {
    f("version", version);
    f("user_version", user_version);
    f("mtime", mtime);
    f("last_reqid", last_reqid);
    f("flags", flags);
    f("truncate_seq", truncate_seq);
    f("truncate_size", truncate_size);
  }
  bool operator==(const ObjectInfo&) const = default;
};

struct ObjectState {
  bool exists = false;
  uint64_t size = 0;
  ObjectInfo info;
  bool operator==(const ObjectState&) const = default;
};

}  // namespace plimsoll::osd
