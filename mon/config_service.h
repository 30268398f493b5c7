// SPDX-License-Identifier: LGPL-2.1-or-later
// ConfigService: the cluster's configuration database: options by section ("global", "osd",
// "osd.3"), every change with its place in the history, so that `config reset` can go back. Lives
// in the config-key store. Values for one daemon or client: global, then its type, then itself.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/config/option.h"
#include "common/rt/clock.h"
#include "mon/key_service.h"

namespace plimsoll::mon {

class ConfigService {
 public:
  struct Entry {
    std::string section;
    std::string name;
    std::string value;
  };
  /// One change of one option; absent values: not set.
  struct Difference {
    std::string section, name;
    std::optional<std::string> before, after;
  };
  struct HistoryItem {
    uint64_t version = 0;
    Utime stamp;
    std::string message;
    std::vector<Difference> changes;
  };

  ConfigService(Clock& clock, KeyService& keys) : clock_(clock), keys_(keys) {}

  /// EINVAL as Ceph words it; `force` lets unknown names through.
  static Result<> check(const std::string& name, const std::string& value, bool force);
  static Result<> check_section(const std::string& section);

  /// All entries: by section in Ceph's order (global, types, daemons), then name.
  std::vector<Entry> entries() const;
  /// What holds for "osd.3": name -> the entry that wins.
  std::map<std::string, Entry> effective(const std::string& entity) const;
  Task<Result<>> set(std::string section, std::string name, std::string value);
  Task<Result<>> remove(std::string section, std::string name);
  Task<Result<>> set_many(std::vector<Entry> entries, std::string message);

  /// Newest first; the empty beginning is version 1.
  std::vector<HistoryItem> history(size_t limit) const;
  uint64_t newest_version() const;
  /// Undoes every change after `version`; ENOENT for one that never was.
  Task<Result<>> reset(uint64_t version);

  /// Called after every change.
  std::function<void()> on_change;

 private:
  Task<Result<>> apply(std::vector<Difference> changes, std::string message);
  HistoryItem history_item(uint64_t version) const;
  std::vector<uint64_t> versions() const;

  Clock& clock_;
  KeyService& keys_;
};

}  // namespace plimsoll::mon
