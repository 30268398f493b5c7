// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/wire/types.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace plimsoll {

namespace {

template <class T>
bool parse_number(std::string_view text, T& out, int base = 10) {
  auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return ec == std::errc() && end == text.data() + text.size() && !text.empty();
}

constexpr uint16_t kFamilyIpv4 = 2;
constexpr uint16_t kFamilyIpv6 = 10;

}  // namespace

std::string Utime::to_string() const {
  std::tm tm{};
  std::time_t t = sec;
  gmtime_r(&t, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+0000", tm.tm_year + 1900,
                     tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, nsec / 1000);
}

std::string Uuid::to_string() const {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += fmt::format("{:02x}", bytes[i]);
  }
  return out;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  Uuid u;
  size_t n = 0;
  bool good = text.size() == 36;
  for (size_t i = 0; good && i < text.size();) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      good = text[i++] == '-';
      continue;
    }
    good = parse_number(text.substr(i, 2), u.bytes[n++], 16);
    i += 2;
  }
  if (!good) return fail(EINVAL, fmt::format("'{}' is not a uuid", text));
  return u;
}

const char* entity_type_name(EntityType type) {
  switch (type) {
    case EntityType::kMon: return "mon";
    case EntityType::kMds: return "mds";
    case EntityType::kOsd: return "osd";
    case EntityType::kClient: return "client";
    case EntityType::kMgr: return "mgr";
    case EntityType::kAuth: return "auth";
    case EntityType::kNone: break;
  }
  return "unknown";
}

std::string EntityName::to_string() const {
  return num < 0 ? fmt::format("{}.?", entity_type_name(type))
                 : fmt::format("{}.{}", entity_type_name(type), num);
}

std::string EntityAddr::ip_text() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family == kFamilyIpv6) {
    inet_ntop(AF_INET6, ip.data(), text, sizeof text);
    return fmt::format("[{}]", text);
  }
  if (family == kFamilyIpv4) inet_ntop(AF_INET, ip.data(), text, sizeof text);
  return family == kFamilyIpv4 ? text : ":";
}

std::string EntityAddr::ip_port_nonce() const {
  return is_blank() ? fmt::format(":/{}", nonce) : fmt::format("{}:{}/{}", ip_text(), port, nonce);
}

std::string EntityAddr::to_string() const {
  switch (type) {
    case kLegacy: return "v1:" + ip_port_nonce();
    case kMsgr2: return "v2:" + ip_port_nonce();
    case kAny: return "any:" + ip_port_nonce();
    default: return "-";
  }
}

Result<EntityAddr> EntityAddr::parse(std::string_view text) {
  const std::string whole(text);
  auto bad = [&](const char* why) {
    return fail(EINVAL, fmt::format("'{}' is not an address: {}", whole, why));
  };
  EntityAddr a;
  a.type = kMsgr2;
  if (text.starts_with("v2:")) {
    text.remove_prefix(3);
  } else if (text.starts_with("v1:")) {
    a.type = kLegacy;
    text.remove_prefix(3);
  } else if (text.starts_with("any:")) {
    a.type = kAny;
    text.remove_prefix(4);
  }
  if (size_t slash = text.find('/'); slash != text.npos) {
    if (!parse_number(text.substr(slash + 1), a.nonce)) return bad("bad nonce");
    text = text.substr(0, slash);
  }
  size_t colon = text.rfind(':');
  if (colon == text.npos || text.ends_with(']')) colon = text.size();
  else if (!parse_number(text.substr(colon + 1), a.port)) return bad("bad port");
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    a.family = kFamilyIpv6;
    if (inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), a.ip.data()) != 1)
      return bad("bad IPv6 address");
  } else {
    a.family = kFamilyIpv4;
    if (inet_pton(AF_INET, host.c_str(), a.ip.data()) != 1) return bad("bad IPv4 address");
  }
  return a;
}

void encode(const EntityAddr& v, ByteWriter& w) {
  w.u8(1);
  wire::enclose(w, {1, 1}, [&] {
    w.u32(v.type);
    w.u32(v.nonce);
    if (v.family == 0) return w.u32(0);
    const bool v6 = v.family == kFamilyIpv6;
    w.u32(v6 ? 28 : 16);
    w.u16(v.family);
    w.u16(htons(v.port));
    auto ip = reinterpret_cast<const char*>(v.ip.data());
    if (v6) {
      w.u32(0);  // flow label
      w.raw({ip, 16});
      w.u32(0);  // scope
    } else {
      w.raw({ip, 4});
      w.u64(0);
    }
  });
}

namespace {

/// The body after the marker byte 1.
void decode_addr2(EntityAddr& v, ByteReader& r) {
  v = {};
  wire::disclose(r, {1, 1}, [&](uint8_t) {
    v.type = r.u32();
    v.nonce = r.u32();
    const uint32_t length = r.u32();
    if (length == 0) return;
    if (length > 128 || length < 2) return r.fail("bad sockaddr length");
    const size_t outer = r.enter(length);
    v.family = r.u16();
    v.port = ntohs(r.u16());
    const bool v6 = v.family == kFamilyIpv6;
    if (v6) r.u32();
    Bytes ip = r.raw(v6 ? 16 : 4);
    std::copy_n(ip.data(), ip.size(), v.ip.begin());
    r.leave(outer);
  });
}

/// The pre-nautilus form after the marker byte 0: u8, u16 padding, nonce, sockaddr_storage.
void decode_addr_legacy(EntityAddr& v, ByteReader& r) {
  v = {};
  r.skip(3);
  v.nonce = r.u32();
  Bytes storage = r.raw(128);
  if (storage.empty()) return;
  // In this form the family is in network order.
  v.family = static_cast<uint16_t>(storage.data()[0] << 8 | storage.data()[1]);
  v.port = static_cast<uint16_t>(storage.data()[2] << 8 | storage.data()[3]);
  const bool v6 = v.family == kFamilyIpv6;
  std::copy_n(storage.data() + (v6 ? 8 : 4), v6 ? 16 : 4, v.ip.begin());
  v.type = v.family ? EntityAddr::kLegacy : EntityAddr::kNone;
}

void decode_addr_after(uint8_t marker, EntityAddr& v, ByteReader& r) {
  if (marker == 1) decode_addr2(v, r);
  else if (marker == 0) decode_addr_legacy(v, r);
  else r.fail("unknown address marker");
}

}  // namespace

void decode(EntityAddr& v, ByteReader& r) { decode_addr_after(r.u8(), v, r); }

EntityAddr EntityAddrVec::msgr2() const {
  for (const auto& a : addrs)
    if (a.type == EntityAddr::kMsgr2) return a;
  return {};
}

std::string EntityAddrVec::to_string() const {
  std::string out = "[";
  for (const auto& a : addrs) {
    if (out.size() > 1) out += ',';
    out += a.to_string();
  }
  return out + "]";
}

void encode(const EntityAddrVec& v, ByteWriter& w) {
  w.u8(2);
  wire::encode(v.addrs, w);
}

void decode(EntityAddrVec& v, ByteReader& r) {
  v.addrs.clear();
  const uint8_t marker = r.u8();
  if (marker == 2) return wire::decode(v.addrs, r);
  EntityAddr one;
  decode_addr_after(marker, one, r);
  v.addrs.push_back(one);
}

std::string Eversion::to_string() const { return fmt::format("{}'{}", epoch, version); }

std::string PgId::to_string() const { return fmt::format("{}.{:x}", pool, seed); }

Result<PgId> PgId::parse(std::string_view text) {
  PgId pg;
  const size_t dot = text.find('.');
  if (dot == text.npos || !parse_number(text.substr(0, dot), pg.pool) ||
      !parse_number(text.substr(dot + 1), pg.seed, 16))
    return fail(EINVAL, fmt::format("'{}' is not a placement group id", text));
  return pg;
}

void encode(const ObjectLocator& v, ByteWriter& w) {
  wire::enclose(w, {6, static_cast<uint8_t>(v.hash >= 0 ? 6 : 3)}, [&] {
    wire::encode(v.pool, w);
    wire::encode(int32_t{-1}, w);
    wire::encode(v.key, w);
    wire::encode(v.nspace, w);
    wire::encode(v.hash, w);
  });
}

void decode(ObjectLocator& v, ByteReader& r) {
  wire::disclose(r, {6, 3}, [&](uint8_t version) {
    wire::decode(v.pool, r);
    r.skip(4);
    wire::decode(v.key, r);
    if (version >= 5) wire::decode(v.nspace, r);
    if (version >= 6) wire::decode(v.hash, r);
  });
}

uint32_t reverse_bits(uint32_t v) {
  v = ((v & 0x55555555) << 1) | ((v >> 1) & 0x55555555);
  v = ((v & 0x33333333) << 2) | ((v >> 2) & 0x33333333);
  v = ((v & 0x0f0f0f0f) << 4) | ((v >> 4) & 0x0f0f0f0f);
  return __builtin_bswap32(v);
}

std::strong_ordering HObject::operator<=>(const HObject& o) const {
  if (auto c = is_max <=> o.is_max; c != 0 || is_max) return c;
  if (auto c = pool <=> o.pool; c != 0) return c;
  if (auto c = reverse_bits(hash) <=> reverse_bits(o.hash); c != 0) return c;
  if (auto c = nspace <=> o.nspace; c != 0) return c;
  const std::string& k = key.empty() ? oid : key;
  const std::string& ok = o.key.empty() ? o.oid : o.key;
  if (auto c = k <=> ok; c != 0) return c;
  if (auto c = oid <=> o.oid; c != 0) return c;
  return snap <=> o.snap;
}

std::string HObject::to_string() const {
  if (is_max) return "MAX";
  if (is_min()) return "MIN";
  std::string s = snap == kSnapHead  ? "head"
                  : snap == kSnapDir ? "snapdir"
                                     : fmt::format("{:x}", snap);
  return fmt::format("{}:{:08x}:{}:{}:{}:{}", pool, reverse_bits(hash), nspace, key, oid, s);
}

std::string ReqId::to_string() const {
  return fmt::format("{}.{}:{}", name.to_string(), incarnation, tid);
}

}  // namespace plimsoll
