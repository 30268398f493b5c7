// SPDX-License-Identifier: LGPL-2.1-or-later
// The log of a PG: its newest changes in order, the same on every member. It serves to compare
// copies after a crash (peering) and to recognise repeated requests. Pure: what must be stored, and
// what became missing, is returned to the caller.
//
// Requests are known for longer than entries are kept: a trim leaves a DupBatch, who asked for what
// it trimmed and what the answer was. Batches follow each other without a gap up to the tail, so
// every request behind known_from() is recognised. What is trimmed was committed by all members;
// batches never have to be taken back.
//
// A version names one entry for good: only one primary per interval assigns versions, with the
// epoch of that interval. Two logs of one PG therefore are equal up to a fork, and share no version
// behind it.
#pragma once

#include <deque>
#include <map>
#include <optional>
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

/// A client's request and what it was answered.
struct Dup {
  ReqId reqid;
  Eversion version;
  uint64_t user_version = 0;
  int32_t result = 0;
  template <class F>
  void fields(F& f) {
    f("reqid", reqid);
    f("version", version);
    f("user_version", user_version);
    f("result", result);
  }
  bool operator==(const Dup&) const = default;
};

/// All requests behind `from` up to `to` that clients made.
struct DupBatch {
  static constexpr wire::Envelope kEnvelope{1, 1};
  Eversion from, to;
  std::vector<Dup> dups;  ///< ascending
  template <class F>
  void fields(F& f) {
    f("from", from);
    f("to", to);
    f("dups", dups);
  }
  bool operator==(const DupBatch&) const = default;
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
  const DupBatch* older = nullptr;  ///< requests that were not known; points into the log
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
  const std::deque<DupBatch>& dups() const { return dups_; }
  /// Every request of a client behind this is known.
  Eversion known_from() const { return dups_.empty() ? tail_ : dups_.front().from; }

  void clear();
  void set_tail(Eversion tail) { tail_ = tail; }
  /// `entry` must be newer than head().
  const LogEntry& append(LogEntry entry);
  /// Drops entries <= `to`, never the last one (it carries the totals); their requests are the last
  /// batch then. Returns how many went.
  size_t trim(Eversion to);
  /// Drops the oldest batches without which `keep` requests are known still. Returns how many went.
  size_t forget(size_t keep);
  /// Batches as they were stored, in order; of what does not reach the tail without a gap only what
  /// is behind the gap. The tail must be set.
  void set_dups(std::deque<DupBatch> batches);
  /// The version up to which to trim so that `keep` entries stay and nothing above `limit` goes;
  /// tail() where there is nothing to do.
  Eversion trim_point(size_t keep, Eversion limit) const;

  /// A request that was carried out, where it is still known.
  std::optional<Dup> find(const ReqId& reqid) const;
  /// `v` is an entry of this log or its tail.
  bool contains(Eversion v) const;

  /// What a member whose head is `have` must be sent: `since` is `have` where this log contains it,
  /// else tail(), and the entries behind it. `older` are requests that it does not know, that knows
  /// those behind `known_from`, or, where its log begins anew at our tail, none.
  struct Part {
    Eversion since;
    std::vector<LogEntry> entries;
    DupBatch older;
  };
  Part part_for(Eversion have, Eversion known_from) const;

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
  void index(const DupBatch& batch);
  void forget_first();
  DupBatch requests(Eversion from, Eversion to) const;
  const DupBatch* adopt(DupBatch older);

  std::deque<LogEntry> entries_;
  Eversion tail_;
  std::deque<DupBatch> dups_;
  size_t dups_count_ = 0;
  /// Entries of a deque stay where they are while it grows and shrinks at its ends.
  std::unordered_map<ReqId, const LogEntry*, ReqIdHash> by_reqid_;
  std::unordered_map<ReqId, const Dup*, ReqIdHash> trimmed_by_reqid_;
};

}  // namespace plimsoll::osd
