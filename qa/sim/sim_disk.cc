// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_disk.h"

#include <algorithm>

namespace plimsoll::sim {

namespace {

Duration between(Rng& rng, Duration low, Duration high) {
  return low + Duration(rng.below(static_cast<uint64_t>((high - low).count())));
}

}  // namespace

DiskImage::Page DiskImage::current(uint64_t index) const {
  if (auto it = unsynced_.find(index); it != unsynced_.end()) return it->second.back().page;
  auto it = durable_.find(index);
  return it == durable_.end() ? nullptr : it->second;
}

void DiskImage::read(uint64_t offset, std::span<uint8_t> into) const {
  while (!into.empty()) {
    const uint64_t skip = offset % kPage;
    const size_t n = std::min<size_t>(into.size(), kPage - skip);
    const Page page = current(offset / kPage);
    if (page) std::memcpy(into.data(), page->data() + skip, n);
    else std::memset(into.data(), 0, n);
    into = into.subspan(n);
    offset += n;
  }
}

void DiskImage::write(uint64_t offset, std::string_view data) {
  while (!data.empty()) {
    const uint64_t index = offset / kPage, skip = offset % kPage;
    const size_t n = std::min<size_t>(data.size(), kPage - skip);
    auto page = std::make_shared<std::array<uint8_t, kPage>>();
    if (const Page old = current(index)) *page = *old;
    std::memcpy(page->data() + skip, data.data(), n);
    unsynced_[index].push_back({next_version_++, std::move(page)});
    data.remove_prefix(n);
    offset += n;
  }
}

void DiskImage::sync_to(uint64_t mark, uint64_t offset, uint64_t length) {
  const uint64_t last = offset + std::min(length, size_ - offset);
  for (auto it = unsynced_.lower_bound(offset / kPage);
       it != unsynced_.end() && it->first * kPage < last;) {
    auto& versions = it->second;
    size_t synced = 0;
    while (synced < versions.size() && versions[synced].number < mark) synced++;
    if (synced > 0) durable_[it->first] = versions[synced - 1].page;
    versions.erase(versions.begin(), versions.begin() + static_cast<ptrdiff_t>(synced));
    it = versions.empty() ? unsynced_.erase(it) : std::next(it);
  }
}

DiskImage::Page DiskImage::torn(const Page& old, const std::vector<Version>& versions,
                                Rng& rng) const {
  auto out = std::make_shared<std::array<uint8_t, kPage>>();
  for (uint64_t at = 0; at < kPage; at += kSector) {
    const uint64_t pick = rng.below(versions.size() + 1);
    const Page& from = pick == 0 ? old : versions[pick - 1].page;
    if (from) std::memcpy(out->data() + at, from->data() + at, kSector);
  }
  return out;
}

void DiskImage::crash(Rng& rng) {
  for (const auto& [index, versions] : unsynced_) {
    const auto found = durable_.find(index);
    const Page old = found == durable_.end() ? nullptr : found->second;
    const uint64_t pick = rng.below(versions.size() + 1);
    Page kept = pick == 0 ? old : versions[pick - 1].page;
    if (rng.chance(0.2)) kept = torn(old, versions, rng);
    if (kept) durable_[index] = std::move(kept);
  }
  unsynced_.clear();
  open = false;
}

bool DiskImage::rot(uint64_t from, Rng& rng) {
  const auto first = durable_.lower_bound(from / kPage);
  const auto stored = std::distance(first, durable_.end());
  if (stored == 0) return false;
  Page& page = std::next(first, static_cast<ptrdiff_t>(rng.below(stored)))->second;
  if (!page) return false;
  auto damaged = std::make_shared<std::array<uint8_t, kPage>>(*page);
  (*damaged)[rng.below(kPage)] ^= static_cast<uint8_t>(1u << rng.below(8));
  page = std::move(damaged);
  return true;
}

Task<Result<Bytes>> SimBlockFile::read(uint64_t offset, size_t length) {
  if (!in_range(offset, length)) co_return fail(EIO, "simulated disk: read beyond the end");
  if (rng_.chance(0.5)) co_await clock_.sleep(between(rng_, 20us, 200us));
  if (rng_.chance(faults_.read_error)) co_return fail(EIO, "simulated disk: read error");
  Buffer buffer(length, kBlock);
  image_.read(offset, buffer.span());
  co_return Bytes::take(std::move(buffer));
}

Task<Result<>> SimBlockFile::write(uint64_t offset, std::vector<Bytes> pieces) {
  uint64_t length = 0;
  for (const auto& p : pieces) length += p.size();
  if (!in_range(offset, length)) co_return fail(EIO, "simulated disk: write beyond the end");
  hash_.add(EventHash::Kind::kDisk, offset, length);
  for (const auto& p : pieces) {
    hash_.add(EventHash::Kind::kDisk, offset, p.view());
    image_.write(offset, p.view());
    offset += p.size();
  }
  co_await clock_.sleep(between(rng_, 10us, 100us));
  co_return Result<>();
}

Task<Result<>> SimBlockFile::write_durable(uint64_t offset, Bytes data) {
  if (!in_range(offset, data.size()))
    co_return fail(EIO, "simulated disk: write beyond the end");
  hash_.add(EventHash::Kind::kDisk, offset, data.view());
  image_.write(offset, data.view());
  if (faults_.answers_early) co_return Result<>();
  const uint64_t mark = image_.written();
  co_await clock_.sleep(rng_.chance(0.1) ? between(rng_, 1ms, 30ms) : between(rng_, 100us, 1ms));
  if (faults_.slow > 0ns) co_await clock_.sleep(between(rng_, faults_.slow / 2, faults_.slow));
  image_.sync_to(mark, offset, data.size());
  co_return Result<>();
}

Task<Result<>> SimBlockFile::sync() {
  const uint64_t mark = image_.written();
  hash_.add(EventHash::Kind::kDisk, mark);
  co_await clock_.sleep(rng_.chance(0.1) ? between(rng_, 1ms, 30ms) : between(rng_, 100us, 1ms));
  image_.sync_to(mark);
  co_return Result<>();
}

}  // namespace plimsoll::sim
