// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/format.h"

#include <fmt/format.h>

#include "common/base/crc32c.h"

namespace plimsoll::osd {

Bytes checked_block(std::string_view magic, std::string_view body) {
  ByteWriter checked;
  checked.blob(body);
  ByteWriter w;
  w.raw(magic);
  w.u32(crc32c(0xffffffff, checked.view()));
  w.raw(checked.view());
  CHECK(w.size() <= kBlock);
  Buffer block(kBlock, kBlock);
  std::memset(block.data(), 0, kBlock);
  std::memcpy(block.data(), w.view().data(), w.size());
  return Bytes::take(std::move(block));
}

Result<Bytes> open_checked_block(std::string_view magic, const Bytes& block, const char* what) {
  ByteReader r(block);
  if (r.raw(magic.size()).view() != magic)
    return fail(EINVAL, fmt::format("no {} (bad magic)", what));
  const uint32_t crc = r.u32();
  const size_t from = r.pos();
  const Bytes body = r.blob();
  if (!r.ok()) return fail(EINVAL, fmt::format("damaged {} (bad length)", what));
  if (crc32c(0xffffffff, block.slice(from, 4 + body.size()).view()) != crc)
    return fail(EINVAL, fmt::format("damaged {} (bad checksum)", what));
  return body;
}

Bytes encode_superblock(const Superblock& s) {
  return checked_block(kMagic, wire::to_bytes(s).view());
}

Result<Superblock> decode_superblock(const Bytes& block) {
  TRY(body, open_checked_block(kMagic, block, "superblock"));
  const unsigned version = body.empty() ? 0 : body.data()[0];
  if (version < Superblock::kEnvelope.version)
    return fail(EINVAL, fmt::format("the store has format {}, this program wants {}: make the OSD "
                                    "anew, or use the program that made it",
                                    version, Superblock::kEnvelope.version));
  TRY(s, wire::from_bytes<Superblock>(body, "superblock"));
  if (s.block_size != kBlock)
    return fail(EINVAL,
                fmt::format("superblock says {} byte blocks, want {}", s.block_size, kBlock));
  return s;
}

namespace key {

namespace {

void put32(std::string& k, uint32_t v) {
  v = __builtin_bswap32(v);
  k.append(reinterpret_cast<const char*>(&v), sizeof v);
}
void put64(std::string& k, uint64_t v) {
  v = __builtin_bswap64(v);
  k.append(reinterpret_cast<const char*>(&v), sizeof v);
}
/// Signed, so that negative numbers sort first.
void put_signed(std::string& k, int64_t v) {
  put64(k, static_cast<uint64_t>(v) ^ (uint64_t{1} << 63));
}

void put_pg(std::string& k, PgId pg) {
  put_signed(k, pg.pool);
  put32(k, pg.seed);
}

/// 00 ends the text and 00 inside becomes 00 ff: a prefix sorts before what it begins.
void put_text(std::string& k, std::string_view text) {
  for (size_t nul; (nul = text.find('\0')) != text.npos; text.remove_prefix(nul + 1)) {
    k.append(text.substr(0, nul + 1));
    k.push_back('\xff');
  }
  k.append(text);
  k.append("\0\x01", 2);
}

std::string with_number(char space, uint64_t v) {
  std::string k(1, space);
  put64(k, v);
  return k;
}

/// Reads what the functions above wrote.
struct Parser {
  std::string_view rest;
  bool ok = true;

  uint64_t number(size_t bytes) {
    if (rest.size() < bytes) {
      ok = false;
      return 0;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < bytes; i++) v = v << 8 | static_cast<uint8_t>(rest[i]);
    rest.remove_prefix(bytes);
    return v;
  }
  int64_t signed_number() { return static_cast<int64_t>(number(8) ^ (uint64_t{1} << 63)); }
  PgId pg() {
    PgId out;
    out.pool = signed_number();
    out.seed = static_cast<uint32_t>(number(4));
    return out;
  }
  std::string text() {
    std::string out;
    for (;;) {
      const size_t nul = rest.find('\0');
      if (nul == rest.npos || nul + 1 >= rest.size()) {
        ok = false;
        return {};
      }
      const bool end = rest[nul + 1] == '\x01';
      out.append(rest.substr(0, end ? nul : nul + 1));
      rest.remove_prefix(nul + 2);
      if (end) return out;
    }
  }
  bool space(char want) { return number(1) == static_cast<uint8_t>(want); }
  bool done() const { return ok && rest.empty(); }
};

}  // namespace

std::string collection(PgId pg) {
  std::string k(1, kCollection);
  put_pg(k, pg);
  return k;
}

std::string onode_prefix(PgId pg) {
  std::string k(1, kOnode);
  put_pg(k, pg);
  return k;
}

std::string onode(PgId pg, const HObject& o) {
  std::string k;
  k.reserve(48 + o.nspace.size() + 2 * o.oid.size() + o.key.size());
  k.push_back(kOnode);
  put_pg(k, pg);
  if (o.is_max) return after_prefix(std::move(k));
  put_signed(k, o.pool);
  put32(k, reverse_bits(o.hash));
  put_text(k, o.nspace);
  put_text(k, o.key.empty() ? o.oid : o.key);
  put_text(k, o.oid);
  put64(k, o.snap);
  return k;
}

std::string pg_meta(PgId pg, std::string_view name) {
  std::string k;
  k.reserve(kPgMetaNameAt + name.size());
  k.push_back(kPgMeta);
  put_pg(k, pg);
  k.append(name);
  return k;
}

std::string store(std::string_view name) { return std::string(1, kStore).append(name); }

std::string omap_header(uint64_t id) {
  std::string k = with_number(kOmap, id);
  k.push_back('\0');
  return k;
}

std::string omap(uint64_t id, std::string_view name) {
  std::string k;
  k.reserve(10 + name.size());
  k.push_back(kOmap);
  put64(k, id);
  k.push_back('\x01');
  k.append(name);
  return k;
}

std::string free_map(uint64_t chunk) { return with_number(kFreeMap, chunk); }

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back()++;
  return prefix;
}

std::optional<PgId> parse_collection(std::string_view k) {
  Parser p{k};
  if (!p.space(kCollection)) return std::nullopt;
  const PgId pg = p.pg();
  if (!p.done()) return std::nullopt;
  return pg;
}

std::optional<PgId> parse_pg(std::string_view k) {
  Parser p{k};
  p.number(1);
  const PgId pg = p.pg();
  if (!p.ok) return std::nullopt;
  return pg;
}

std::optional<std::pair<PgId, HObject>> parse_onode(std::string_view k) {
  Parser p{k};
  if (!p.space(kOnode)) return std::nullopt;
  const PgId pg = p.pg();
  HObject o;
  o.pool = p.signed_number();
  o.hash = reverse_bits(static_cast<uint32_t>(p.number(4)));
  o.nspace = p.text();
  o.key = p.text();
  o.oid = p.text();
  o.snap = p.number(8);
  if (o.key == o.oid) o.key.clear();
  if (!p.done()) return std::nullopt;
  return std::pair(pg, std::move(o));
}

std::optional<OmapKey> parse_omap(std::string_view k) {
  Parser p{k};
  OmapKey out;
  if (!p.space(kOmap)) return std::nullopt;
  out.id = p.number(8);
  const uint64_t kind = p.number(1);
  if (kind == 1) out.name = std::string(p.rest);
  if (!p.ok || kind > 1 || (kind == 0 && !p.rest.empty())) return std::nullopt;
  return out;
}

std::optional<uint64_t> parse_number(std::string_view k) {
  Parser p{k};
  p.number(1);
  const uint64_t v = p.number(8);
  if (!p.done()) return std::nullopt;
  return v;
}

}  // namespace key

}  // namespace plimsoll::osd
