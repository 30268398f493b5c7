// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/overlay.h"

#include <algorithm>
#include <cstring>

#include "osd/store/format.h"

namespace plimsoll::osd {

// ---- block file ---------------------------------------------------------------------------------

Task<Result<Bytes>> OverlayBlockFile::read(uint64_t offset, size_t length) {
  CO_TRY(data, co_await base_->read(offset, length));
  auto b = blocks_.lower_bound(offset / kBlock);
  if (b == blocks_.end() || b->first * kBlock >= offset + length) co_return data;
  std::string seen = data.to_string();
  for (; b != blocks_.end() && b->first * kBlock < offset + length; ++b) {
    const uint64_t begin = std::max(offset, b->first * kBlock);
    const uint64_t end = std::min(offset + length, (b->first + 1) * kBlock);
    seen.replace(begin - offset, end - begin, b->second, begin - b->first * kBlock, end - begin);
  }
  co_return Bytes::take(std::move(seen));
}

Task<Result<>> OverlayBlockFile::write(uint64_t offset, std::vector<Bytes> pieces) {
  for (const auto& piece : pieces) {
    CHECK(offset % kBlock == 0 && piece.size() % kBlock == 0);
    for (uint64_t at = 0; at < piece.size(); at += kBlock, offset += kBlock)
      blocks_[offset / kBlock] = piece.slice(at, kBlock).to_string();
  }
  co_return Result<>();
}

Task<Result<>> OverlayBlockFile::write_durable(uint64_t offset, Bytes data) {
  std::vector<Bytes> pieces(1, std::move(data));
  co_return co_await write(offset, std::move(pieces));
}

// ---- key-value store ----------------------------------------------------------------------------

OverlayKv::Changed::const_iterator OverlayKv::first_changed(const std::string& from,
                                                            const std::string& to) const {
  auto it = changed_.lower_bound(from);
  return it == changed_.end() || (!to.empty() && it->first >= to) ? changed_.end() : it;
}

bool OverlayKv::hidden(const std::string& key) const {
  if (changed_.contains(key)) return true;
  auto range = erased_.upper_bound(key);
  return range != erased_.begin() && key < std::prev(range)->second;
}

void OverlayKv::erase_range(const std::string& from, const std::string& to) {
  if (from >= to) return;
  changed_.erase(changed_.lower_bound(from), changed_.lower_bound(to));
  // One range for all that it touches.
  std::string begin = from, end = to;
  auto it = erased_.upper_bound(from);
  if (it != erased_.begin() && std::prev(it)->second >= from) --it;
  while (it != erased_.end() && it->first <= to) {
    begin = std::min(begin, it->first);
    end = std::max(end, it->second);
    it = erased_.erase(it);
  }
  erased_[begin] = end;
}

Task<Result<>> OverlayKv::apply(KvBatch batch) {
  for (auto& op : batch.mutable_ops()) {
    switch (op.kind) {
      case KvBatch::Kind::kPut: changed_[op.key] = std::move(op.value); break;
      case KvBatch::Kind::kErase: changed_[op.key] = std::nullopt; break;
      case KvBatch::Kind::kEraseRange: erase_range(op.key, op.value); break;
    }
  }
  co_return Result<>();
}

Task<Result<std::optional<std::string>>> OverlayKv::get(std::string key) {
  if (auto it = changed_.find(key); it != changed_.end()) co_return it->second;
  if (hidden(key)) co_return std::nullopt;
  co_return co_await base_->get(std::move(key));
}

Task<Result<std::vector<Kv::Pair>>> OverlayKv::scan(std::string from, std::string to, size_t limit,
                                                    size_t max_bytes) {
  std::vector<Pair> out;
  size_t bytes = 0;
  for (bool more = true; more && out.size() < limit;) {
    CO_TRY(page, co_await base_->scan(from, to, limit, max_bytes));
    more = !page.empty();
    // What this page says nothing of comes with the next.
    const std::string until = more ? page.back().first + '\0' : to;
    auto change = first_changed(from, until);
    auto pair = page.begin();
    while (out.size() < limit) {
      while (pair != page.end() && hidden(pair->first)) ++pair;
      const bool ours =
          change != changed_.end() && (pair == page.end() || change->first < pair->first);
      if (!ours && pair == page.end()) break;
      Pair next;
      if (ours) {
        const auto it = change++;
        if (change != changed_.end() && !until.empty() && change->first >= until)
          change = changed_.end();
        if (!it->second) continue;
        next = {it->first, *it->second};
      } else {
        next = std::move(*pair++);
      }
      bytes += next.second.size();
      if (bytes > max_bytes && !out.empty()) co_return out;
      out.push_back(std::move(next));
    }
    from = until;
  }
  co_return out;
}

Task<Result<std::optional<Kv::Pair>>> OverlayKv::last(std::string from, std::string to) {
  std::optional<Pair> ours;
  for (auto it = first_changed(from, to); it != changed_.end(); ++it) {
    if (!to.empty() && it->first >= to) break;
    if (it->second) ours = Pair(it->first, *it->second);
  }
  for (;;) {
    CO_TRY(theirs, co_await base_->last(from, to));
    if (!theirs || (ours && ours->first >= theirs->first)) co_return ours;
    if (!hidden(theirs->first)) co_return theirs;
    to = theirs->first;
  }
}

}  // namespace plimsoll::osd
