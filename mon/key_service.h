// SPDX-License-Identifier: LGPL-2.1-or-later
// KeyService: the config-key store, small named values that administrators and daemons keep in the
// monitors. Held in memory whole. The config service keeps its options and their history here too,
// under "config/" and "config-history/", as in Ceph.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mon/consensus/consensus.h"

namespace plimsoll::mon {

class KeyService {
 public:
  /// Bound of all keys and values together.
  static constexpr size_t kMaxBytes = 64 << 20;
  using Change = std::pair<std::string, std::optional<std::string>>;

  explicit KeyService(Consensus& consensus) : consensus_(consensus) {}
  Task<Result<>> load();

  const std::map<std::string, std::string>& all() const { return values_; }
  const std::string* find(const std::string& key) const;
  /// Sets and erases in one step. ENOSPC: the store would get too large.
  Task<Result<>> change(std::vector<Change> changes);

 private:
  Consensus& consensus_;
  std::map<std::string, std::string> values_;
  size_t bytes_ = 0;
};

}  // namespace plimsoll::mon
