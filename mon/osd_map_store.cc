// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/osd_map_store.h"

#include <fmt/format.h>

namespace plimsoll::mon {
namespace {

constexpr char kFull[] = "osdmap/full/";
constexpr char kInc[] = "osdmap/inc/";

std::string key(const char* kind, Epoch e) {
  return fmt::format("{}{:08x}", kind, e);
}

Result<Epoch> epoch_of(std::string_view key, const char* kind) {
  Epoch e = 0;
  for (char c : key.substr(std::string_view(kind).size())) {
    if (c >= '0' && c <= '9')
      e = e << 4 | static_cast<Epoch>(c - '0');
    else if (c >= 'a' && c <= 'f')
      e = e << 4 | static_cast<Epoch>(c - 'a' + 10);
    else
      return fail(EIO, "damaged key " + std::string(key));
  }
  return e;
}

}  // namespace

Task<Result<map::OSDMap>> OsdMapStore::load(size_t max_cached) {
  max_cached_ = max_cached;
  CO_TRY(fulls, co_await consensus_.list(kFull));
  if (fulls.empty()) co_return fail(ENOENT, "the store holds no OSD map");
  CO_TRY(newest, epoch_of(fulls.back().first, kFull));
  CO_TRY(oldest, epoch_of(fulls.front().first, kFull));
  newest_ = newest;
  oldest_ = oldest;
  full_ = Bytes::take(std::move(fulls.back().second));
  CO_TRY(incs, co_await consensus_.list(kInc));
  for (auto& [k, v] : incs) {
    CO_TRY(e, epoch_of(k, kInc));
    cache(e, Bytes::take(std::move(v)));
  }
  co_return wire::from_bytes<map::OSDMap>(full_, "OSD map");
}

Epoch OsdMapStore::oldest_after(Epoch newest, size_t min_epochs) const {
  if (newest <= min_epochs) return oldest_;
  const Epoch keep = static_cast<Epoch>(newest - min_epochs) / kFullEvery * kFullEvery;
  return std::max(oldest_, keep);
}

void OsdMapStore::put(const map::SealedStep& step, size_t min_epochs, KvBatch& batch) const {
  const Epoch e = step.next.epoch;
  batch.put(key(kInc, e), step.incremental.to_string());
  batch.put(key(kFull, e), step.full.to_string());
  if (newest_ % kFullEvery != 0 && newest_ != oldest_) batch.erase(key(kFull, newest_));
  const Epoch keep = oldest_after(e, min_epochs);
  if (keep == oldest_) return;
  batch.erase_range(key(kInc, 0), key(kInc, keep + 1));
  batch.erase_range(key(kFull, 0), key(kFull, keep));
}

void OsdMapStore::committed(const map::SealedStep& step, size_t min_epochs) {
  newest_ = step.next.epoch;
  oldest_ = oldest_after(newest_, min_epochs);
  full_ = step.full;
  cache(newest_, step.incremental);
}

void OsdMapStore::put_first(const map::OSDMap& map, KvBatch& batch) {
  batch.put(key(kFull, map.epoch), wire::to_bytes(map).to_string());
}

void OsdMapStore::cache(Epoch e, Bytes incremental) {
  cached_bytes_ += incremental.size();
  recent_[e] = std::move(incremental);
  while (recent_.size() > max_cached_ || (cached_bytes_ > kMaxCachedBytes && recent_.size() > 1)) {
    cached_bytes_ -= recent_.begin()->second.size();
    recent_.erase(recent_.begin());
  }
}

const Bytes* OsdMapStore::incremental(Epoch e) const {
  const auto it = recent_.find(e);
  return it == recent_.end() ? nullptr : &it->second;
}

Task<Result<Bytes>> OsdMapStore::full(Epoch e) {
  const Error missing = fail(ENOENT, fmt::format("there is no map for epoch {}", e));
  if (e == newest_) co_return full_;
  if (e < oldest_ || e > newest_) co_return missing;
  const Epoch base = std::max(oldest_, e / kFullEvery * kFullEvery);
  CO_TRY(blob, co_await consensus_.get(key(kFull, base)));
  if (!blob) co_return missing;  // Trimmed meanwhile.
  CO_TRY(map, wire::from_bytes<map::OSDMap>(Bytes::take(std::move(*blob)), "OSD map"));
  while (map.epoch < e) {
    CO_TRY(inc_blob, co_await consensus_.get(key(kInc, map.epoch + 1)));
    if (!inc_blob) co_return missing;
    CO_TRY(inc, wire::from_bytes<map::Incremental>(Bytes::take(std::move(*inc_blob)), "OSD map"));
    CO_TRY_VOID(map.apply_incremental(inc));
  }
  co_return wire::to_bytes(map);
}

}  // namespace plimsoll::mon
