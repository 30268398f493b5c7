// SPDX-License-Identifier: LGPL-2.1-or-later
// What OSDs say to each other: replication, peering, transfer of whole objects. Not Ceph's. Each
// begins with the PG, so that it can be routed undecoded. `interval` is the epoch since which the
// sender has led the PG with the same members; answers repeat it, and everything of another
// interval is dropped. Log entries, missing objects and transactions travel encoded: the OSD owns
// their layout.
#pragma once

#include <string>
#include <vector>

#include "common/msg/message.h"

namespace plimsoll::msg {

/// Every message between OSDs begins with this.
struct PgHeader {
  PgId pgid;
  Epoch interval = 0;
  Epoch epoch = 0;  ///< the sender's osdmap
  template <class F>
  void fields(F& f) {
    f("pgid", pgid);
    f("interval", interval);
    f("epoch", epoch);
  }
  bool operator==(const PgHeader&) const = default;
};

// ---- replication
// ----------------------------------------------------------------------------------

/// Primary to replica: one write, in the order of versions.
struct MOsdRepOp {
  static constexpr uint16_t kType = 0x8100, kVersion = 1, kCompat = 1, kPriority = 63;
  PgHeader pg;
  uint32_t shard = 0;   ///< of the sender: whose credit it spends; these two early, for the router
  uint64_t charge = 0;  ///< bytes of it
  Eversion previous;    ///< the replica's log must end here
  Eversion trim_to;   ///< of the log, with this write
  Bytes entry;        ///< LogEntry
  Bytes txn;          ///< Transaction, without its payloads
  Bytes data;         ///< its payloads
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("shard", shard);
    f("charge", charge);
    f("previous", previous);
    f("trim_to", trim_to);
    f("entry", entry);
    f("txn", txn);
  }
  bool operator==(const MOsdRepOp&) const = default;
};

/// Everything up to `committed` is durable on the replica.
struct MOsdRepOpReply {
  static constexpr uint16_t kType = 0x8101, kVersion = 1, kCompat = 1;
  PgHeader pg;
  Eversion committed;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("committed", committed);
  }
  bool operator==(const MOsdRepOpReply&) const = default;
};

// ---- peering
// --------------------------------------------------------------------------------------

/// Primary to member: what have you?
struct MOsdPgQuery {
  static constexpr uint16_t kType = 0x8102, kVersion = 1, kCompat = 1;
  PgHeader pg;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
  }
  bool operator==(const MOsdPgQuery&) const = default;
};

/// Member to primary: what it is now. Answers a query, a merged log, an activation.
struct MOsdPgInfo {
  static constexpr uint16_t kType = 0x8103, kVersion = 1, kCompat = 1;
  enum Answers : uint8_t { kQuery = 1, kMerge = 2, kActivate = 3, kReset = 4, kLastPage = 5 };
  PgHeader pg;
  uint8_t answers = 0;
  Bytes info;         ///< PgInfo
  Bytes missing;      ///< Missing
  std::string error;  ///< the log could not be merged, and why
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("answers", answers);
    f("info", info);
    f("missing", missing);
    f("error", error);
  }
  bool operator==(const MOsdPgInfo&) const = default;
};

/// Primary to member: send your log behind `have`.
struct MOsdPgGetLog {
  static constexpr uint16_t kType = 0x8104, kVersion = 1, kCompat = 1;
  PgHeader pg;
  Eversion have;
  Eversion known_from;  ///< we know the requests of clients behind this
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("have", have);
    f("known_from", known_from);
  }
  bool operator==(const MOsdPgGetLog&) const = default;
};

/// The authoritative log behind `since`: answers MOsdPgGetLog, or is the primary's order to a
/// member to merge it.
struct MOsdPgLog {
  static constexpr uint16_t kType = 0x8105, kVersion = 1, kCompat = 1;
  PgHeader pg;
  Eversion since;
  Bytes older;  ///< DupBatch: requests that the receiver does not know
  Bytes data;   ///< vector<LogEntry>
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("since", since);
    f("older", older);
  }
  bool operator==(const MOsdPgLog&) const = default;
};

/// Primary to member: everyone has everything; note durably that the interval serves.
struct MOsdPgActivate {
  static constexpr uint16_t kType = 0x8106, kVersion = 1, kCompat = 1;
  PgHeader pg;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
  }
  bool operator==(const MOsdPgActivate&) const = default;
};

// ---- newcomers
// ------------------------------------------------------------------------------------

/// Primary to newcomer: throw away what you have of the PG.
struct MOsdPgReset {
  static constexpr uint16_t kType = 0x810f, kVersion = 1, kCompat = 1;
  PgHeader pg;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
  }
  bool operator==(const MOsdPgReset&) const = default;
};

/// Primary to newcomer: all objects behind the last such message, up to `up_to`; each comes.
struct MOsdPgObjects {
  static constexpr uint16_t kType = 0x8110, kVersion = 1, kCompat = 1;
  PgHeader pg;
  HObject up_to;
  bool last = false;  ///< there are no more
  Bytes objects;      ///< Missing
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("up_to", up_to);
    f("last", last);
    f("objects", objects);
  }
  bool operator==(const MOsdPgObjects&) const = default;
};

/// A copy that belongs nowhere to the primary: may I go? Repeated.
struct MOsdPgStray {
  static constexpr uint16_t kType = 0x8111, kVersion = 1, kCompat = 1;
  PgHeader pg;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
  }
  bool operator==(const MOsdPgStray&) const = default;
};

/// The answer, when all whom the map wants have everything.
struct MOsdPgRemove {
  static constexpr uint16_t kType = 0x8112, kVersion = 1, kCompat = 1;
  PgHeader pg;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
  }
  bool operator==(const MOsdPgRemove&) const = default;
};

// ---- whole objects
// --------------------------------------------------------------------------------

/// How far the transfer of an object has come; default is its beginning.
struct TransferCursor {
  uint64_t offset = 0;     ///< of the data that comes next
  std::string omap_after;  ///< the omap key behind which it goes on
  bool in_omap = false;    ///< the data is complete
  template <class F>
  void fields(F& f) {
    f("offset", offset);
    f("omap_after", omap_after);
    f("in_omap", in_omap);
  }
  bool operator==(const TransferCursor&) const = default;
  bool at_start() const { return *this == TransferCursor(); }
};

/// Asks for the piece at `cursor`: a member that lacks the object, or one that got the piece
/// before.
struct MOsdPgPull {
  static constexpr uint16_t kType = 0x8107, kVersion = 1, kCompat = 1;
  PgHeader pg;
  HObject object;
  Eversion version;
  TransferCursor cursor;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("object", object);
    f("version", version);
    f("cursor", cursor);
  }
  bool operator==(const MOsdPgPull&) const = default;
};

/// A piece of an object: extents of data, then omap; attributes come with the last one.
struct MOsdPgPush {
  static constexpr uint16_t kType = 0x8108, kVersion = 1, kCompat = 1;
  PgHeader pg;
  HObject object;
  Eversion version;
  int32_t result = 0;  ///< negative errno: the sender cannot deliver the object at this version
  TransferCursor at;
  TransferCursor next;
  bool last = false;
  uint64_t size = 0;  ///< of the whole object
  std::vector<std::pair<uint64_t, uint32_t>> extents;
  Bytes omap_header;
  std::vector<std::pair<std::string, Bytes>> omap;
  std::map<std::string, Bytes> attrs;
  Bytes data;  ///< the extents' content
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("object", object);
    f("version", version);
    f("result", result);
    f("at", at);
    f("next", next);
    f("last", last);
    f("size", size);
    f("extents", extents);
    f("omap_header", omap_header);
    f("omap", omap);
    f("attrs", attrs);
  }
  bool operator==(const MOsdPgPush&) const = default;
};

/// A member that was pushed an object has all of it durably.
struct MOsdPgPushed {
  static constexpr uint16_t kType = 0x8109, kVersion = 1, kCompat = 1;
  PgHeader pg;
  HObject object;
  Eversion version;
  template <class F>
  void fields(F& f) {
    f("pg", pg);
    f("object", object);
    f("version", version);
  }
  bool operator==(const MOsdPgPushed&) const = default;
};

// ---- credits of space
// ------------------------------------------------------------------------------
//
// An OSD lends its free space to primaries before they write (osd/space.h). `shard` is the
// borrower's: each of its shards has an account of its own. These are not about a PG.

/// Borrower to lender: I need `want` bytes.
struct MOsdCreditRequest {
  static constexpr uint16_t kType = 0x810a, kVersion = 1, kCompat = 1, kPriority = 63;
  uint32_t shard = 0;
  bool reserve = false;  ///< of the space above the full line
  bool ahead = false;    ///< nothing waits for it
  uint64_t want = 0;
  template <class F>
  void fields(F& f) {
    f("shard", shard);
    f("reserve", reserve);
    f("ahead", ahead);
    f("want", want);
  }
  bool operator==(const MOsdCreditRequest&) const = default;
};

struct MOsdCreditReply {
  static constexpr uint16_t kType = 0x810b, kVersion = 1, kCompat = 1, kPriority = 63;
  uint32_t shard = 0;
  bool reserve = false;
  uint64_t asked = 0;
  uint64_t granted = 0;  ///< at least what was asked, or 0: refused
  template <class F>
  void fields(F& f) {
    f("shard", shard);
    f("reserve", reserve);
    f("asked", asked);
    f("granted", granted);
  }
  bool operator==(const MOsdCreditReply&) const = default;
};

/// Borrower to lender: I do not need these any more.
struct MOsdCreditReturn {
  static constexpr uint16_t kType = 0x810c, kVersion = 1, kCompat = 1, kPriority = 63;
  uint32_t shard = 0;
  uint64_t bytes = 0;
  template <class F>
  void fields(F& f) {
    f("shard", shard);
    f("bytes", bytes);
  }
  bool operator==(const MOsdCreditReturn&) const = default;
};

/// Lender to borrower: give back what you have not spent; space is short.
struct MOsdCreditRecall {
  static constexpr uint16_t kType = 0x810d, kVersion = 1, kCompat = 1, kPriority = 63;
  uint32_t shard = 0;
  template <class F>
  void fields(F& f) {
    f("shard", shard);
  }
  bool operator==(const MOsdCreditRecall&) const = default;
};

/// Borrower to lender, first on a new connection: of all that you lent me, only what the writes
/// spend that I am about to send again is still out.
struct MOsdCreditReset {
  static constexpr uint16_t kType = 0x810e, kVersion = 1, kCompat = 1, kPriority = 63;
  uint32_t shard = 0;
  uint64_t in_flight = 0;
  template <class F>
  void fields(F& f) {
    f("shard", shard);
    f("in_flight", in_flight);
  }
  bool operator==(const MOsdCreditReset&) const = default;
};

}  // namespace plimsoll::msg
