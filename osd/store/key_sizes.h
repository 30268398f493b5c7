// SPDX-License-Identifier: LGPL-2.1-or-later
// KeySizes: what the values of one PG's keys take, so that the store can count a change of a key
// without a read of the old value. A PG with many log entries sees most changes at two places, the
// key that every write puts again (its info) and the end of the log; both are remembered, and only
// other changes search.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace plimsoll::osd {

class KeySizes {
 public:
  KeySizes() = default;
  KeySizes(const KeySizes&) = delete;  // it holds iterators into itself
  KeySizes& operator=(const KeySizes&) = delete;

  /// The value of `key` takes `bytes` from now on. Returns what it took, nullopt for a new key.
  std::optional<uint64_t> set(const std::string& key, uint64_t bytes);
  /// Likewise.
  std::optional<uint64_t> erase(const std::string& key);
  /// Keys in [from, to).
  std::vector<std::string> between(const std::string& from, const std::string& to) const;
  /// Bytes of all keys and values.
  uint64_t total() const { return total_; }

 private:
  using Sizes = std::map<std::string, uint64_t>;
  Sizes sizes_;
  uint64_t total_ = 0;
  Sizes::iterator rewritten_ = sizes_.end();  ///< the last that was set and not new
  Sizes::iterator added_ = sizes_.end();      ///< the last that was new
};

}  // namespace plimsoll::osd
