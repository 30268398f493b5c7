// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/onode_cache.h"

namespace plimsoll::osd {

OnodeRef OnodeCache::find(std::string_view key) {
  auto it = by_key_.find(key);
  if (it == by_key_.end()) return nullptr;
  lru_.splice(lru_.begin(), lru_, it->second->place);
  return it->second;
}

void OnodeCache::insert(OnodeRef onode) {
  const bool fresh = by_key_.emplace(onode->key, onode).second;
  CHECK(fresh);
  lru_.push_front(onode);
  onode->place = lru_.begin();
  resized(onode);
}

void OnodeCache::resized(const OnodeRef& onode) {
  bytes_ -= onode->memory;
  onode->memory = 200 + onode->key.size() + onode->onode.memory_bytes();
  bytes_ += onode->memory;
  trim();
}

std::vector<OnodeRef> OnodeCache::with_prefix(std::string_view prefix) const {
  std::vector<OnodeRef> out;
  for (const auto& o : lru_)
    if (o->exists && std::string_view(o->key).starts_with(prefix)) out.push_back(o);
  return out;
}

void OnodeCache::trim() {
  // Pinned ones are recent; the newest stays, since its caller is about to use it.
  auto it = lru_.end();
  while (bytes_ > max_bytes_ && it != lru_.begin() && --it != lru_.begin()) {
    if ((*it)->pins) continue;
    bytes_ -= (*it)->memory;
    by_key_.erase((*it)->key);
    it = lru_.erase(it);
  }
}

}  // namespace plimsoll::osd
