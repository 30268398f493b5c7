// SPDX-License-Identifier: LGPL-2.1-or-later
// The small types that every Ceph protocol is made of (wire.md 1): addresses, names, times,
// versions, placement groups, object names. Values with an encoding, an order and a text; nothing
// else.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <tuple>

#include "common/wire/codec.h"

namespace plimsoll {

using Epoch = uint32_t;
using PoolId = int64_t;
using OsdId = int32_t;

inline constexpr OsdId kNoOsd = -1;
/// A hole in an erasure-coded mapping (CRUSH_ITEM_NONE).
inline constexpr OsdId kOsdNone = 0x7fffffff;

/// Wall-clock time as Ceph encodes it.
struct Utime {
  uint32_t sec = 0;
  uint32_t nsec = 0;
  template <class F> void fields(F& f) {
    f("sec", sec);
    f("nsec", nsec);
  }
  auto operator<=>(const Utime&) const = default;
  bool is_zero() const { return sec == 0 && nsec == 0; }
  double seconds() const { return sec + nsec * 1e-9; }
  static Utime from_nanos(int64_t ns) {
    return {static_cast<uint32_t>(ns / 1'000'000'000), static_cast<uint32_t>(ns % 1'000'000'000)};
  }
  int64_t nanos() const { return int64_t{sec} * 1'000'000'000 + nsec; }
  /// "2026-11-20T15:22:52.123456+0000", Ceph's form.
  std::string to_string() const;
};

struct Uuid {
  std::array<uint8_t, 16> bytes{};
  template <class F> void fields(F& f) { f("uuid", bytes); }
  auto operator<=>(const Uuid&) const = default;
  bool is_zero() const { return *this == Uuid{}; }
  std::string to_string() const;
  static Result<Uuid> parse(std::string_view text);
};

enum class EntityType : uint8_t {
  kNone = 0, kMon = 0x01, kMds = 0x02, kOsd = 0x04, kClient = 0x08, kMgr = 0x10, kAuth = 0x20,
};
/// "mon", "osd", "client", ...
const char* entity_type_name(EntityType type);

/// "osd.3", "client.4123".
struct EntityName {
  EntityType type = EntityType::kNone;
  int64_t num = 0;
  template <class F> void fields(F& f) {
    f("type", type);
    f("num", num);
  }
  auto operator<=>(const EntityName&) const = default;
  std::string to_string() const;
};

/// One network address with the nonce of the process incarnation behind it.
struct EntityAddr {
  enum Type : uint32_t { kNone = 0, kLegacy = 1, kMsgr2 = 2, kAny = 3 };
  uint32_t type = kNone;
  uint32_t nonce = 0;
  uint16_t family = 0;  ///< 0 blank, 2 IPv4, 10 IPv6
  uint16_t port = 0;    ///< host order
  std::array<uint8_t, 16> ip{};  ///< network order; IPv4 in the first four bytes

  auto operator<=>(const EntityAddr&) const = default;
  bool is_blank() const { return family == 0; }
  /// "127.0.0.1:6800/123"
  std::string ip_port_nonce() const;
  /// "v2:127.0.0.1:6800/123"; "-" for a blank one.
  std::string to_string() const;
  /// "127.0.0.1", "[::1]"
  std::string ip_text() const;
  /// Parses "ip:port[/nonce]" with an optional "v2:" or "any:" prefix.
  static Result<EntityAddr> parse(std::string_view text);
};
void encode(const EntityAddr& v, ByteWriter& w);
void decode(EntityAddr& v, ByteReader& r);

struct EntityAddrVec {
  std::vector<EntityAddr> addrs;
  EntityAddrVec() = default;
  explicit EntityAddrVec(EntityAddr a) : addrs{a} {}
  auto operator<=>(const EntityAddrVec&) const = default;
  bool empty() const { return addrs.empty(); }
  /// The msgr2 address; a blank one where there is none.
  EntityAddr msgr2() const;
  /// "[v2:127.0.0.1:6800/123]", as `osd dump` prints it.
  std::string to_string() const;
};
void encode(const EntityAddrVec& v, ByteWriter& w);
void decode(EntityAddrVec& v, ByteReader& r);

/// A version in a PG's history: epoch decides, then version ("12'345").
struct Eversion {
  uint64_t version = 0;
  Epoch epoch = 0;
  template <class F> void fields(F& f) {
    f("version", version);
    f("epoch", epoch);
  }
  bool operator==(const Eversion&) const = default;
  auto operator<=>(const Eversion& o) const {
    return std::tie(epoch, version) <=> std::tie(o.epoch, o.version);
  }
  std::string to_string() const;
};

/// A placement group. Text "1.2f": pool in decimal, seed in hexadecimal.
struct PgId {
  PoolId pool = -1;
  uint32_t seed = 0;
  template <class F> void fields(F& f) {
    f.constant("v", uint8_t{1});
    f("pool", pool);
    f("seed", seed);
    f.constant("preferred", int32_t{-1});
  }
  auto operator<=>(const PgId&) const = default;
  std::string to_string() const;
  static Result<PgId> parse(std::string_view text);
};

/// A shard of a PG; shard is -1 in replicated pools.
struct SpgId {
  static constexpr wire::Envelope kEnvelope{1, 1};
  PgId pg;
  int8_t shard = -1;
  template <class F> void fields(F& f) {
    f("pgid", pg);
    f("shard", shard);
  }
  auto operator<=>(const SpgId&) const = default;
};

inline constexpr uint64_t kSnapHead = 0xfffffffffffffffe;  ///< NOSNAP: the head object
inline constexpr uint64_t kSnapDir = 0xffffffffffffffff;

/// Where an object lives besides its name.
struct ObjectLocator {
  PoolId pool = -1;
  std::string key;
  std::string nspace;
  int64_t hash = -1;  ///< >= 0: the PG seed itself (PG listing)
  auto operator<=>(const ObjectLocator&) const = default;
};
void encode(const ObjectLocator& v, ByteWriter& w);
void decode(ObjectLocator& v, ByteReader& r);

/// An object's full name inside a pool, in the order of PG listings: bit-reversed hash, namespace,
/// key or name, name, snap. Default is the minimum; max() is past every object.
struct HObject {
  static constexpr wire::Envelope kEnvelope{4, 3};
  std::string key;  ///< locator key; empty where it equals the name
  std::string oid;
  uint64_t snap = 0;
  uint32_t hash = 0;
  bool is_max = false;
  std::string nspace;
  int64_t pool = INT64_MIN;
  template <class F> void fields(F& f) {
    f("key", key);
    f("oid", oid);
    f("snapid", snap);
    f("hash", hash);
    f("max", is_max);
    f("namespace", nspace);
    f("pool", pool);
  }
  static HObject max() {
    HObject h;
    h.is_max = true;
    return h;
  }
  bool is_min() const { return !is_max && pool == INT64_MIN; }
  std::strong_ordering operator<=>(const HObject& o) const;
  bool operator==(const HObject& o) const { return (*this <=> o) == 0; }
  std::string to_string() const;
};

uint32_t reverse_bits(uint32_t v);

/// Identifies one request over resends: the duplicate log's key.
struct ReqId {
  static constexpr wire::Envelope kEnvelope{2, 2};
  EntityName name;
  uint64_t tid = 0;
  int32_t incarnation = 0;
  template <class F> void fields(F& f) {
    f("name", name);
    f("tid", tid);
    f("inc", incarnation);
  }
  auto operator<=>(const ReqId&) const = default;
  std::string to_string() const;
};

}  // namespace plimsoll
