// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/pg_log.h"

#include <algorithm>

namespace plimsoll::osd {

namespace {

bool from_client(const ReqId& r) {
  return r.name.type != EntityType::kNone;
}

auto first_after(const std::deque<LogEntry>& entries, Eversion v) {
  return std::upper_bound(entries.begin(), entries.end(), v,
                          [](Eversion x, const LogEntry& e) { return x < e.version; });
}

Dup dup_of(const LogEntry& e) {
  return {e.reqid, e.version, e.user_version, e.result};
}

void need(const HObject& object, Eversion version, MergeResult& out) {
  out.now_missing[object] = version;
  out.no_longer_missing.erase(object);
}

void drop(const HObject& object, MergeResult& out) {
  out.remove.insert(object);
  out.now_missing.erase(object);
  out.no_longer_missing.insert(object);
}

}  // namespace

void PgLog::index(const LogEntry& entry) {
  if (from_client(entry.reqid)) by_reqid_[entry.reqid] = &entry;
}

void PgLog::unindex(const LogEntry& entry) {
  auto it = by_reqid_.find(entry.reqid);
  if (it != by_reqid_.end() && it->second == &entry) by_reqid_.erase(it);
}

void PgLog::clear() {
  entries_.clear();
  by_reqid_.clear();
  dups_.clear();
  dups_count_ = 0;
  trimmed_by_reqid_.clear();
  tail_ = {};
}

const LogEntry& PgLog::append(LogEntry entry) {
  CHECK(entry.version > head());
  entries_.push_back(std::move(entry));
  index(entries_.back());
  return entries_.back();
}

size_t PgLog::trim(Eversion to) {
  size_t n = 0;
  DupBatch batch{tail_, tail_, {}};
  for (; entries_.size() > 1 && entries_.front().version <= to; n++) {
    const LogEntry& e = entries_.front();
    tail_ = batch.to = e.version;
    if (from_client(e.reqid)) batch.dups.push_back(dup_of(e));
    unindex(e);
    entries_.pop_front();
  }
  if (n) {
    dups_.push_back(std::move(batch));
    index(dups_.back());
  }
  return n;
}

// ---- requests of trimmed entries ----------------------------------------------------------------

void PgLog::index(const DupBatch& batch) {
  dups_count_ += batch.dups.size();
  for (const Dup& dup : batch.dups) trimmed_by_reqid_[dup.reqid] = &dup;
}

void PgLog::forget_first() {
  for (const Dup& dup : dups_.front().dups) {
    const auto it = trimmed_by_reqid_.find(dup.reqid);
    if (it != trimmed_by_reqid_.end() && it->second == &dup) trimmed_by_reqid_.erase(it);
  }
  dups_count_ -= dups_.front().dups.size();
  dups_.pop_front();
}

size_t PgLog::forget(size_t keep) {
  size_t n = 0;
  for (; !dups_.empty() &&
         dups_count_ - dups_.front().dups.size() + entries_.size() >= keep; n++)
    forget_first();
  return n;
}

void PgLog::set_dups(std::deque<DupBatch> batches) {
  dups_ = std::move(batches);
  dups_count_ = 0;
  trimmed_by_reqid_.clear();
  for (const DupBatch& batch : dups_) index(batch);
  size_t first = dups_.size();
  for (Eversion to = tail_; first && dups_[first - 1].to == to; first--) to = dups_[first - 1].from;
  while (first--) forget_first();
}

/// As one batch, of dups and entries; both ends are within what is known.
DupBatch PgLog::requests(Eversion from, Eversion to) const {
  DupBatch out{from, to, {}};
  const auto wanted = [&](Eversion v) { return from < v && v <= to; };
  for (const DupBatch& batch : dups_)
    for (const Dup& dup : batch.dups)
      if (wanted(dup.version)) out.dups.push_back(dup);
  for (const LogEntry& e : entries_)
    if (wanted(e.version) && from_client(e.reqid)) out.dups.push_back(dup_of(e));
  return out;
}

const DupBatch* PgLog::adopt(DupBatch older) {
  const Eversion to = known_from();
  if (to <= older.from || older.to < to) return nullptr;
  std::erase_if(older.dups, [&](const Dup& dup) { return to < dup.version; });
  older.to = to;
  dups_.push_front(std::move(older));
  index(dups_.front());
  return &dups_.front();
}

// -------------------------------------------------------------------------------------------------

Eversion PgLog::trim_point(size_t keep, Eversion limit) const {
  if (entries_.size() <= std::max<size_t>(keep, 1)) return tail_;
  const Eversion v = entries_[entries_.size() - std::max<size_t>(keep, 1) - 1].version;
  return v <= limit ? v : tail_;
}

std::optional<Dup> PgLog::find(const ReqId& reqid) const {
  if (auto it = by_reqid_.find(reqid); it != by_reqid_.end()) return dup_of(*it->second);
  if (auto it = trimmed_by_reqid_.find(reqid); it != trimmed_by_reqid_.end()) return *it->second;
  return std::nullopt;
}

bool PgLog::contains(Eversion v) const {
  if (v == tail_) return true;
  auto it = first_after(entries_, v);
  return it != entries_.begin() && std::prev(it)->version == v;
}

PgLog::Part PgLog::part_for(Eversion have, Eversion known_from) const {
  Part part;
  part.since = contains(have) ? have : tail_;
  part.entries.assign(first_after(entries_, part.since), entries_.end());
  const Eversion theirs = have < tail_ ? tail_ : std::min(known_from, head());
  if (this->known_from() < theirs) part.older = requests(this->known_from(), theirs);
  return part;
}

Result<MergeResult> PgLog::merge(Part part, Missing& missing) {
  if (head() < part.since)
    return fail(EINVAL, "the logs do not overlap: own head " + head().to_string() +
                            ", authoritative part begins at " + part.since.to_string());
  // What either side trimmed was committed by all, and so is common.
  const Eversion start = std::max(tail_, part.since);
  auto own = first_after(entries_, start);
  auto theirs = std::upper_bound(part.entries.begin(), part.entries.end(), start,
                                 [](Eversion x, const LogEntry& e) { return x < e.version; });
  while (own != entries_.end() && theirs != part.entries.end() && own->version == theirs->version) {
    ++own;
    ++theirs;
  }

  MergeResult out;
  std::set<HObject> seen;
  for (auto it = own; it != entries_.end(); ++it) {
    out.dropped.push_back(it->version);
    if (!seen.insert(it->object).second) continue;
    // The oldest entry that did not happen tells what the object was before.
    if (it->prior_version == Eversion())
      drop(it->object, out);
    else
      need(it->object, it->prior_version, out);
  }
  while (!out.dropped.empty() && !entries_.empty() &&
         entries_.back().version >= out.dropped.front()) {
    unindex(entries_.back());
    entries_.pop_back();
  }
  for (; theirs != part.entries.end(); ++theirs) {
    if (theirs->kind == LogEntry::kDelete)
      drop(theirs->object, out);
    else {
      out.remove.erase(theirs->object);
      need(theirs->object, theirs->version, out);
    }
    out.added.push_back(&append(std::move(*theirs)));
  }
  for (const auto& object : out.no_longer_missing) missing.erase(object);
  for (const auto& [object, version] : out.now_missing) missing[object] = version;
  out.older = adopt(std::move(part.older));
  return out;
}

}  // namespace plimsoll::osd
