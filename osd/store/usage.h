// SPDX-License-Identifier: LGPL-2.1-or-later
// Usage: what a collection, or a whole store, takes. The store keeps one of each collection and one
// of all; they change together, with the transaction that changes what they count.
#pragma once

#include <compare>
#include <cstdint>

#include "common/wire/codec.h"

namespace plimsoll::osd {

struct Usage {
  static constexpr wire::Envelope kEnvelope{1, 1};
  uint64_t objects = 0;
  uint64_t allocated_blocks = 0;
  uint64_t data_stored = 0;  ///< bytes of objects in allocated blocks
  uint64_t omap_bytes = 0;   ///< live key-value bytes of omaps
  uint64_t meta_bytes = 0;   ///< live key-value bytes of onodes, collections, PG and OSD keys

  template <class F> void fields(F& f) {
    f("objects", objects);
    f("allocated_blocks", allocated_blocks);
    f("data_stored", data_stored);
    f("omap_bytes", omap_bytes);
    f("meta_bytes", meta_bytes);
  }
  auto operator<=>(const Usage&) const = default;

  Usage& operator+=(const Usage& o) {
    objects += o.objects;
    allocated_blocks += o.allocated_blocks;
    data_stored += o.data_stored;
    omap_bytes += o.omap_bytes;
    meta_bytes += o.meta_bytes;
    return *this;
  }
  /// What became less wraps around, and comes right when it is added.
  Usage operator-(const Usage& o) const {
    return {objects - o.objects, allocated_blocks - o.allocated_blocks,
            data_stored - o.data_stored, omap_bytes - o.omap_bytes, meta_bytes - o.meta_bytes};
  }
};

}  // namespace plimsoll::osd
