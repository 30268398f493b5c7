// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/map_store.h"

#include <fmt/format.h>

namespace plimsoll::osd {

namespace {

std::string full_key(Epoch e) {
  return fmt::format("osdmap.full.{:08x}", e);
}
std::string inc_key(Epoch e) {
  return fmt::format("osdmap.inc.{:08x}", e);
}

}  // namespace

Transaction MapStore::first_superblock(const OsdSuperblock& superblock) {
  Transaction txn;
  txn.store_set({{kSuperblockKey, wire::to_bytes(superblock)}});
  return txn;
}

Task<Result<>> MapStore::load(ObjectStore& store) {
  auto raw = co_await store.store_get(kSuperblockKey);
  if (!raw) co_return raw.error();
  if (!*raw) co_return fail(EINVAL, "the store holds no OSD superblock: mkfs did not finish");
  auto superblock = wire::from_bytes<OsdSuperblock>(**raw, "OSD superblock");
  if (!superblock) co_return superblock.error();
  superblock_ = *superblock;
  if (superblock_.full_map == 0) co_return Result<>();

  auto full = co_await store.store_get(full_key(superblock_.full_map));
  if (!full) co_return full.error();
  if (!*full) co_return fail(EIO, fmt::format("stored osdmap {} is missing", superblock_.full_map));
  CO_TRY(map, wire::from_bytes<map::OSDMap>(**full, "stored osdmap"));
  for (Epoch e = superblock_.full_map + 1; e <= superblock_.newest_map; e++) {
    auto blob = co_await store.store_get(inc_key(e));
    if (!blob) co_return blob.error();
    if (!*blob) co_return fail(EIO, fmt::format("stored osdmap change {} is missing", e));
    CO_TRY(inc, wire::from_bytes<map::Incremental>(**blob, "stored osdmap change"));
    CO_TRY_VOID(map.apply_incremental(inc));
    incrementals_[e] = **blob;
  }
  current_ = std::make_shared<const map::OSDMap>(std::move(map));
  co_return Result<>();
}

void MapStore::store_full(Transaction& txn) {
  std::map<std::string, Bytes> gone;
  if (superblock_.full_map) gone[full_key(superblock_.full_map)] = {};
  for (Epoch e = superblock_.full_map + 1; e <= superblock_.newest_map; e++) gone[inc_key(e)] = {};
  txn.store_remove(std::move(gone));
  full_ = wire::to_bytes(*current_);
  full_epoch_ = current_->epoch;
  std::map<std::string, Bytes> pairs;
  pairs[full_key(current_->epoch)] = full_;
  txn.store_set(std::move(pairs));
  superblock_.full_map = superblock_.newest_map = current_->epoch;
}

void MapStore::take(map::OSDMap next, Step& step) {
  current_ = std::make_shared<const map::OSDMap>(std::move(next));
  step.maps.push_back(current_);
}

MapStore::Step MapStore::apply(const msg::MOSDMap& message) {
  Step step;
  const Result<> advanced = advance(message, step);
  if (!advanced)
    step.error = advanced.error();
  else if (message.maps.empty())
    cluster_oldest_ = std::max(cluster_oldest_, message.oldest_map);
  while (incrementals_.size() > kKeep) incrementals_.erase(incrementals_.begin());
  if (!step.maps.empty()) step.txn.store_set({{kSuperblockKey, wire::to_bytes(superblock_)}});
  step.gap = epoch() < std::max(message.last(), message.newest_map);
  return step;
}

Result<> MapStore::advance(const msg::MOSDMap& message, Step& step) {
  if (message.fsid != superblock_.fsid)
    return fail(EINVAL, fmt::format("the monitor's cluster is {}, this OSD belongs to {}",
                                    message.fsid.to_string(), superblock_.fsid.to_string()));
  while (epoch() < message.last()) {
    const auto inc = message.incremental_maps.find(epoch() + 1);
    if (current_ && inc != message.incremental_maps.end()) {
      TRY(decoded, wire::from_bytes<map::Incremental>(inc->second, "incremental osdmap"));
      map::OSDMap next = *current_;
      TRY_VOID(next.apply_incremental(decoded));
      take(std::move(next), step);
      incrementals_[epoch()] = inc->second;
      if (epoch() - superblock_.full_map >= kFullEvery) {
        store_full(step.txn);
        continue;
      }
      step.txn.store_set({{inc_key(epoch()), inc->second}});
      superblock_.newest_map = epoch();
      continue;
    }
    const auto full = message.maps.upper_bound(epoch());
    if (full == message.maps.end()) break;
    TRY(decoded, wire::from_bytes<map::OSDMap>(full->second, "osdmap"));
    if (decoded.epoch != full->first)
      return fail(EINVAL, "osdmap's epoch is not the one announced");
    if (decoded.epoch != epoch() + 1) incrementals_.clear();
    take(std::move(decoded), step);
    store_full(step.txn);
  }
  return {};
}

msg::MOSDMap MapStore::since(Epoch have, size_t most) {
  msg::MOSDMap m;
  m.fsid = superblock_.fsid;
  m.newest_map = epoch();
  m.oldest_map = incrementals_.empty() ? epoch() : incrementals_.begin()->first;
  const bool connected = incrementals_.contains(have + 1) && epoch() - have <= most;
  if (connected) {
    for (Epoch e = have + 1; e <= epoch(); e++) {
      const auto inc = incrementals_.find(e);
      if (inc == incrementals_.end()) break;
      m.incremental_maps[e] = inc->second;
    }
    if (m.last() == epoch()) return m;
    m.incremental_maps.clear();
  }
  m.oldest_map = epoch();  // it jumps there
  if (full_epoch_ != epoch()) {
    full_ = wire::to_bytes(*current_);
    full_epoch_ = epoch();
  }
  m.maps[epoch()] = full_;
  return m;
}

}  // namespace plimsoll::osd
