// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of a PG: its newest changes in order, the same on every member. It serves to compare
// copies after a crash (peering) and to recognise repeated requests. Pure: what must be stored, and
// what became missing, is returned to the caller.
//
// A version names one entry for good: only one primary per interval assigns versions, with the
// epoch of that interval. Two logs of one PG therefore are equal up to a fork, and share no version
// behind it.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::osd {

/// What a PG holds after an entry; carried along so that it needs no storage of its own.
struct PgTotals {
  int64_t objects = 0;
  int64_t bytes = 0;
  int64_t omap_objects = 0;
  template <class F>
  void fields(F& f) {
    f("objects", objects);
    f("bytes", bytes);
    f("omap_objects", omap_objects);
  }
  bool operator==(const PgTotals&) const = default;
};

struct LogEntry {
  static constexpr wire::Envelope kEnvelope{1, 1};
  enum Kind : uint8_t { kModify = 1, kDelete = 2 };
  Kind kind = kModify;
  Eversion version;
  Eversion prior_version;  ///< of the object before; zero where it did not exist
  HObject object;
  ReqId reqid;
  uint64_t user_version = 0;
  int32_t result = 0;
  Utime mtime;
  PgTotals totals;
  template <class F>
  void fields(F& f) {
    f("kind", kind);
    f("version", version);
    f("prior_version", prior_version);
    f("object", object);
    f("reqid", reqid);
    f("user_version", user_version);
    f("result", result);
    f("mtime", mtime);
    f("totals", totals);
  }
  bool operator==(const LogEntry&) const = default;
};

/// Objects that a member knows of but lacks in the version it needs.
using Missing = std::map<HObject, Eversion>;

/// What a merge changed, for the store.
struct MergeResult {
  std::vector<Eversion> dropped;       ///< own entries that never happened
  std::vector<const LogEntry*> added;  ///< point into the log
  std::set<HObject> remove;            ///< objects that must not exist
  Missing now_missing;                 ///< objects whose need changed
  std::set<HObject> no_longer_missing;
};

class PgLog {
 public:
  PgLog() = default;
  PgLog(const PgLog&) = delete;
  PgLog& operator=(const PgLog&) = delete;

  /// Version of the newest entry that was trimmed: the log covers (tail, head].
  Eversion tail() const { return tail_; }
  Eversion head() const { return entries_.empty() ? tail_ : entries_.back().version; }
  size_t size() const { return entries_.size(); }
  const std::deque<LogEntry>& entries() const { return entries_; }
  const LogEntry* last() const { return entries_.empty() ? nullptr : &entries_.back(); }
  PgTotals totals() const { return entries_.empty() ? PgTotals() : entries_.back().totals; }

  void clear();
  void set_tail(Eversion tail) { tail_ = tail; }
  /// `entry` must be newer than head().
  const LogEntry& append(LogEntry entry);
  /// Drops entries <= `to`, never the last one (it carries the totals). Returns how many went.
  size_t trim(Eversion to);
  /// The version up to which to trim so that `keep` entries stay and nothing above `limit` goes;
  /// tail() where there is nothing to do.
  Eversion trim_point(size_t keep, Eversion limit) const;

  /// The entry of a request, where the log still has it.
  const LogEntry* find(const ReqId& reqid) const;
  /// `v` is an entry of this log or its tail.
  bool contains(Eversion v) const;

  /// What a member whose head is `have` must be sent: `since` is `have` where this log contains it,
  /// else tail(), and the entries behind it.
  struct Part {
    Eversion since;
    std::vector<LogEntry> entries;
  };
  Part part_for(Eversion have) const;

  /// Makes this log equal to the authoritative one, of which `part` holds everything behind
  /// part.since. Own entries that the authoritative log lacks never happened: their objects go back
  /// to what they were. EINVAL where the logs do not overlap (the member must be copied whole).
  Result<MergeResult> merge(Part part, Missing& missing);

 private:
  struct ReqIdHash {
    size_t operator()(const ReqId& r) const {
      return static_cast<size_t>(r.name.num) * 0x9e3779b97f4a7c15 ^ r.tid * 0xff51afd7ed558ccd;
    }
  };
  void index(const LogEntry& entry);
  void unindex(const LogEntry& entry);

  std::deque<LogEntry> entries_;
  Eversion tail_;
  /// Entries of a deque stay where they are while it grows and shrinks at its ends.
  std::unordered_map<ReqId, const LogEntry*, ReqIdHash> by_reqid_;
};

}  // namespace plimsoll::osd
