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
  for (; entries_.size() > 1 && entries_.front().version <= to; n++) {
    tail_ = entries_.front().version;
    unindex(entries_.front());
    entries_.pop_front();
  }
  return n;
}

Eversion PgLog::trim_point(size_t keep, Eversion limit) const {
  if (entries_.size() <= std::max<size_t>(keep, 1)) return tail_;
  const Eversion v = entries_[entries_.size() - std::max<size_t>(keep, 1) - 1].version;
  return v <= limit ? v : tail_;
}

const LogEntry* PgLog::find(const ReqId& reqid) const {
  auto it = by_reqid_.find(reqid);
  return it == by_reqid_.end() ? nullptr : it->second;
}

bool PgLog::contains(Eversion v) const {
  if (v == tail_) return true;
  auto it = first_after(entries_, v);
  return it != entries_.begin() && std::prev(it)->version == v;
}

PgLog::Part PgLog::part_for(Eversion have) const {
  Part part;
  part.since = contains(have) ? have : tail_;
  part.entries.assign(first_after(entries_, part.since), entries_.end());
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
  return out;
}

}  // namespace plimsoll::osd
