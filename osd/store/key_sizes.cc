// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/key_sizes.h"

#include <iterator>
#include <utility>

namespace plimsoll::osd {

std::optional<uint64_t> KeySizes::set(const std::string& key, uint64_t bytes) {
  if (rewritten_ == sizes_.end() || rewritten_->first != key) {
    const bool last = sizes_.empty() || sizes_.rbegin()->first < key;
    const auto hint = last || added_ == sizes_.end() ? sizes_.end() : std::next(added_);
    const size_t before = sizes_.size();
    const auto place = sizes_.try_emplace(hint, key, bytes);
    if (sizes_.size() > before) {
      added_ = place;
      total_ += key.size() + bytes;
      return std::nullopt;
    }
    rewritten_ = place;
  }
  const uint64_t old = std::exchange(rewritten_->second, bytes);
  total_ += bytes - old;
  return old;
}

std::optional<uint64_t> KeySizes::erase(const std::string& key) {
  const auto it = sizes_.find(key);
  if (it == sizes_.end()) return std::nullopt;
  if (it == rewritten_) rewritten_ = sizes_.end();
  if (it == added_) added_ = sizes_.end();
  const uint64_t old = it->second;
  total_ -= key.size() + old;
  sizes_.erase(it);
  return old;
}

std::vector<std::string> KeySizes::between(const std::string& from, const std::string& to) const {
  std::vector<std::string> keys;
  for (auto it = sizes_.lower_bound(from); it != sizes_.end() && it->first < to; ++it)
    keys.push_back(it->first);
  return keys;
}

}  // namespace plimsoll::osd
