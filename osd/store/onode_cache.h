// SPDX-License-Identifier: LGPL-2.1-or-later
// OnodeCache: onodes in memory, absent ones too, least recently used first out, bounded by bytes. A
// transaction pins what it changes until it is durable: until then the cache alone knows the truth.
#pragma once

#include <list>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "osd/store/onode.h"

namespace plimsoll::osd {

struct CachedOnode {
  std::string key;   ///< in the key-value store
  bool exists = false;
  Onode onode;
  size_t kv_bytes = 0;    ///< of key and value as last put; 0 where absent
  uint64_t changed_by = 0;  ///< the transaction that pinned it last
  uint32_t pins = 0;

  Usage usage() const { return exists ? onode.usage(kv_bytes) : Usage(); }

 private:
  friend class OnodeCache;
  size_t memory = 0;
  std::list<std::shared_ptr<CachedOnode>>::iterator place;
};
using OnodeRef = std::shared_ptr<CachedOnode>;

class OnodeCache {
 public:
  explicit OnodeCache(size_t max_bytes) : max_bytes_(max_bytes) {}
  /// nullptr where it is not known.
  OnodeRef find(std::string_view key);
  /// Its key must not be known yet.
  void insert(OnodeRef onode);
  /// To be called after a change, for the accounting; drops what no longer fits.
  void resized(const OnodeRef& onode);
  /// Existing onodes whose keys begin with `prefix`.
  std::vector<OnodeRef> with_prefix(std::string_view prefix) const;
  size_t bytes() const { return bytes_; }
  size_t count() const { return by_key_.size(); }

 private:
  void trim();
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::list<OnodeRef> lru_;  ///< most recent first
  std::unordered_map<std::string_view, OnodeRef> by_key_;
};

}  // namespace plimsoll::osd
