// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/key_service.h"

namespace plimsoll::mon {

static constexpr char kPrefix[] = "kv/";

Task<Result<>> KeyService::load() {
  CO_TRY(pairs, co_await consensus_.list(kPrefix));
  for (auto& [key, value] : pairs) {
    bytes_ += key.size() + value.size();
    values_[key.substr(sizeof kPrefix - 1)] = std::move(value);
  }
  co_return Result<>();
}

const std::string* KeyService::find(const std::string& key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

Task<Result<>> KeyService::change(std::vector<Change> changes) {
  KvBatch batch;
  size_t more = 0;
  for (const auto& [key, value] : changes) {
    if (value) {
      batch.put(kPrefix + key, *value);
      more += key.size() + value->size();
    } else {
      batch.erase(kPrefix + key);
    }
  }
  if (bytes_ + more > kMaxBytes) co_return fail(ENOSPC, "the config-key store is full");
  CO_TRY(version, co_await consensus_.propose(std::move(batch)));
  static_cast<void>(version);
  for (auto& [key, value] : changes) {
    if (const std::string* old = find(key)) bytes_ -= key.size() + old->size();
    if (!value) {
      values_.erase(key);
      continue;
    }
    bytes_ += key.size() + value->size();
    values_[key] = std::move(*value);
  }
  co_return Result<>();
}

}  // namespace plimsoll::mon
