// SPDX-License-Identifier: LGPL-2.1-or-later
// KvWalk: all pairs of a key space, or of a range, page by page.
#pragma once

#include "common/rt/kv.h"
#include "osd/store/format.h"

namespace plimsoll::osd {

class KvWalk {
 public:
  KvWalk(Kv& kv, char space) : KvWalk(kv, std::string(1, space)) {}
  /// All keys that begin with `prefix`.
  KvWalk(Kv& kv, const std::string& prefix) : KvWalk(kv, prefix, key::after_prefix(prefix)) {}
  KvWalk(Kv& kv, std::string from, std::string to)
      : kv_(kv), from_(std::move(from)), to_(std::move(to)) {}

  /// Empty at the end.
  Task<Result<std::vector<Kv::Pair>>> next() {
    CO_TRY(page, co_await kv_.scan(from_, to_, kPage));
    if (!page.empty()) from_ = page.back().first + '\0';
    co_return std::move(page);
  }

 private:
  static constexpr size_t kPage = 2048;
  Kv& kv_;
  std::string from_;
  std::string to_;
};

}  // namespace plimsoll::osd
