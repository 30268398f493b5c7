// SPDX-License-Identifier: LGPL-2.1-or-later
// Keys sort as what they name; onodes and superblocks come back as they went and damaged ones do
// not.
#include "osd/store/format.h"

#include <gtest/gtest.h>

#include "osd/store/onode.h"
#include "osd/store/test_model.h"

namespace plimsoll::osd {

namespace {

HObject random_object(Rng& rng) {
  auto text = [&] {
    std::string s;
    for (uint64_t n = rng.below(4); n; n--) s += "ab\0\x01\xff"[rng.below(5)];
    return s;
  };
  HObject h;
  h.pool = static_cast<int64_t>(rng.below(5)) - 2;
  h.hash = rng.chance(0.5) ? rng.below(4) : static_cast<uint32_t>(rng.next());
  h.oid = text();
  h.key = text();
  if (h.key == h.oid) h.key.clear();
  h.nspace = text();
  h.snap = rng.chance(0.5) ? kSnapHead : rng.below(3);
  return h;
}

Onode random_onode(Rng& rng) {
  Onode o;
  o.size = rng.below(1 << 22);
  o.omap_id = rng.below(9);
  o.omap_keys = rng.below(9);
  o.omap_bytes = rng.below(99);
  o.expected_object_size = rng.below(1 << 22);
  o.attrs["_"] = random_bytes(rng, rng.below(300));
  o.attrs[std::string("\0x", 2)] = Bytes();
  uint64_t logical = 0;
  for (uint64_t n = rng.below(5); n; n--) {
    logical += 1 + rng.below(9);
    MappedRun run{logical, rng.below(1 << 20), {}};
    for (uint64_t c = 1 + rng.below(20); c; c--)
      run.crcs.push_back(static_cast<uint32_t>(rng.next()));
    logical = run.end();
    o.map(std::move(run));
  }
  return o;
}

Onode decoded(std::string data, bool& ok) {
  Onode o;
  ByteReader r(Bytes::take(std::move(data)));
  decode(o, r);
  ok = r.ok();
  return o;
}

}  // namespace

TEST(Keys, SortAsObjectsAndComeBack) {
  Rng rng(1);
  const PgId pg{-1, 0x80000000};
  for (int i = 0; i < 20000; i++) {
    const HObject a = random_object(rng), b = random_object(rng);
    const std::string ka = key::onode(pg, a), kb = key::onode(pg, b);
    ASSERT_EQ(a < b, ka < kb) << a.to_string() << " " << b.to_string();
    ASSERT_EQ(a == b, ka == kb);
    auto back = key::parse_onode(ka);
    ASSERT_TRUE(back);
    ASSERT_TRUE(back->second == a && back->first == pg);
    ASSERT_TRUE(ka.starts_with(key::onode_prefix(pg)));
    ASSERT_LT(ka, key::onode(pg, HObject::max()));
    ASSERT_LT(key::onode(pg, HObject()), ka);
    for (size_t n = 0; n < ka.size(); n++) ASSERT_FALSE(key::parse_onode(ka.substr(0, n)));
  }
}

TEST(Keys, OfOnePgLieBetweenThoseOfItsNeighbours) {
  const PgId pgs[] = {{-2, 7}, {0, 0}, {0, 1}, {0, 0xffffffff}, {1, 0}, {INT64_MAX, 0xffffffff}};
  for (size_t i = 0; i + 1 < std::size(pgs); i++) {
    EXPECT_LT(key::onode(pgs[i], HObject::max()), key::onode(pgs[i + 1], HObject()));
    EXPECT_LE(key::after_prefix(key::pg_meta(pgs[i], "")), key::pg_meta(pgs[i + 1], ""));
    EXPECT_EQ(key::parse_collection(key::collection(pgs[i])), pgs[i]);
  }
  auto omap = key::parse_omap(key::omap(7, std::string("a\0", 2)));
  ASSERT_TRUE(omap && omap->name);
  EXPECT_EQ(omap->id, 7u);
  EXPECT_EQ(*omap->name, std::string("a\0", 2));
  EXPECT_FALSE(key::parse_omap(key::omap_header(7))->name);
  EXPECT_EQ(key::parse_number(key::free_map(1234567)), 1234567u);
}

TEST(Onode, ComesBackAndTruncationsDoNot) {
  Rng rng(2);
  for (int i = 0; i < 200; i++) {
    const Onode o = random_onode(rng);
    ByteWriter w;
    encode(o, w);
    bool ok = false;
    const std::string data = w.take_string();
    ASSERT_TRUE(decoded(data, ok) == o);
    ASSERT_TRUE(ok);
    for (size_t n = 0; n < data.size(); n += 1 + n / 16) {
      decoded(data.substr(0, n), ok);
      ASSERT_FALSE(ok);
    }
    // Any flipped bit decodes to something or fails; it never harms.
    std::string bad = data;
    bad[rng.below(bad.size())] ^= static_cast<char>(1 << rng.below(8));
    decoded(bad, ok);
  }
}

TEST(Onode, MappingEqualsAMapOfBlocks) {
  Rng rng(3);
  for (int seed = 0; seed < 50; seed++) {
    Onode o;
    std::map<uint64_t, std::pair<uint64_t, uint32_t>> want;  // logical -> physical, crc
    uint64_t next_physical = 1000;
    for (int step = 0; step < 60; step++) {
      const uint64_t first = rng.below(60), end = first + 1 + rng.below(20);
      std::vector<BlockRun> freed;
      o.unmap(first, end, freed);
      std::set<uint64_t> gone, want_gone;
      for (const auto run : freed)
        for (uint64_t b = run.first; b < run.end(); b++) gone.insert(b);
      for (uint64_t b = first; b < end; b++)
        if (auto it = want.find(b); it != want.end()) {
          want_gone.insert(it->second.first);
          want.erase(it);
        }
      ASSERT_EQ(gone, want_gone);
      if (rng.chance(0.7)) {
        MappedRun run{first, next_physical, {}};
        for (uint64_t b = first; b < end; b++) {
          run.crcs.push_back(static_cast<uint32_t>(b * 31));
          want[b] = {next_physical++, static_cast<uint32_t>(b * 31)};
        }
        if (rng.chance(0.5)) next_physical += 5;
        o.map(std::move(run));
      }
      ASSERT_EQ(o.mapped_blocks(), want.size());
      std::map<uint64_t, std::pair<uint64_t, uint32_t>> got;
      for (const auto& run : o.mapped(0, 1000))
        for (uint64_t i = 0; i < run.count(); i++)
          got[run.logical + i] = {run.physical + i, run.crcs[i]};
      ASSERT_EQ(got, want);
    }
  }
}

TEST(Superblock, DamageIsNamed) {
  Superblock s;
  s.osd = 3;
  s.device_size = 1_GiB;
  const Bytes block = encode_superblock(s);
  ASSERT_EQ(block.size(), kBlock);
  EXPECT_EQ(decode_superblock(block)->osd, 3);
  for (size_t i = 0; i < 100; i++) {
    std::string bad = block.to_string();
    bad[i] ^= 4;
    const auto result = decode_superblock(Bytes::take(bad));
    if (i < kMagic.size() + 8 + 60) EXPECT_FALSE(result) << i;
  }
  std::string old = wire::to_bytes(s).to_string();
  old[0] = old[1] = 1;
  const auto other = decode_superblock(checked_block(kMagic, old));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().text().find("format 1, this program wants 2"), std::string::npos);
  EXPECT_FALSE(decode_superblock(Bytes::zeros(kBlock)));
  EXPECT_FALSE(decode_superblock(block.slice(0, 30)));
}

}  // namespace plimsoll::osd
