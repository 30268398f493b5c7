// SPDX-License-Identifier: LGPL-2.1-or-later
// Maps, and what is done with them at once: mapping PGs and applying incrementals. The crcs inside
// are put right first.
#include "common/base/crc32c.h"
#include "common/map/crush_mapper.h"
#include "common/map/crush_text.h"
#include "common/map/mgr_map.h"
#include "common/map/mon_map.h"
#include "common/map/osd_map_dump.h"
#include "common/map/test_maps.h"
#include "common/wire/generate.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

using namespace map;

void store(std::string& s, size_t at, uint32_t v) {
  std::memcpy(&s[at], &v, sizeof v);
}

/// A full map ends in the crc of all before it.
Bytes with_full_crc(Bytes input) {
  std::string s = input.to_string();
  if (s.size() >= 4)
    store(s, s.size() - 4, crc32c(~0u, std::string_view(s).substr(0, s.size() - 4)));
  return Bytes::take(std::move(s));
}

/// An incremental ends in its own crc, which covers all else, and the full map's.
Bytes with_incremental_crc(Bytes input) {
  std::string s = input.to_string();
  if (s.size() >= 8) {
    const uint32_t head = crc32c(~0u, std::string_view(s).substr(0, s.size() - 8));
    store(s, s.size() - 8, crc32c(head, std::string_view(s).substr(s.size() - 4)));
  }
  return Bytes::take(std::move(s));
}

/// A few PGs of each pool, so that hostile maps with many cost no more.
void map_some_pgs(const OSDMap& m) {
  size_t pools = 0;
  for (const auto& [id, pool] : m.pools) {
    if (++pools > 4) break;
    for (uint32_t seed = 0; seed < 2; seed++) {
      const PgMapping mapping = m.map_pg({id, seed});
      CHECK(mapping.up.size() <= 256);
      (void)m.home({id, seed});
    }
  }
}

}  // namespace

void run_osd_map(Bytes input) {
  auto m = wire::from_bytes<OSDMap>(with_full_crc(input), "osdmap");
  if (!m) return;
  check_stable(*m);
  map_some_pgs(*m);
}

void run_incremental(Bytes input) {
  auto inc = wire::from_bytes<Incremental>(with_incremental_crc(input), "incremental");
  if (!inc) return;
  static const OSDMap base = make_cluster({});
  OSDMap m = base;
  inc->fsid = m.fsid;
  inc->epoch = m.epoch + 1;
  if (!m.apply_incremental(*inc)) return CHECK_NOTE(m == base, "a refused step changes nothing");
  map_some_pgs(m);
}

void run_crush_map(Bytes input) {
  auto m = wire::from_bytes<CrushMap>(input, "crush map");
  if (!m) return;
  check_stable(*m);
  const std::vector<uint32_t> weights(16, kCrushOne);
  for (int rule = 0; rule < 2; rule++) crush_do_rule(*m, rule, 1234, 3, weights);
  // The text of a decoded map need not be readable (names may be any bytes), but making it ends.
  (void)crush_to_text(*m);
}

void run_crush_text(Bytes input) {
  auto m = crush_from_text(input.view());
  if (!m) return CHECK(!m.error().text().empty());
  check_stable(*m);
  CHECK_NOTE(crush_from_text(crush_to_text(*m)), "our own text can be read");
}

void run_small_maps(Bytes input) {
  if (auto m = wire::from_bytes<MonMap>(input, "monmap")) check_stable(*m);
  if (auto m = wire::from_bytes<MgrMap>(input, "mgrmap")) check_stable(*m);
}

std::vector<std::string> osd_map_seeds(Rng& rng) {
  std::vector<std::string> out{read_corpus("OSDMap/fresh_cluster.bin").to_string(),
                               read_corpus("OSDMap/after_edits.bin").to_string()};
  for (int i = 0; i < 4; i++) out.push_back(wire::to_bytes(random_map(rng)).to_string());
  return out;
}

std::vector<std::string> incremental_seeds(Rng& rng) {
  std::vector<std::string> out;
  const OSDMap base = make_cluster({});
  for (int i = 0; i < 8; i++) {
    Incremental inc = random_step(rng, base);
    if (auto sealed = seal(base, inc)) out.push_back(sealed->incremental.to_string());
  }
  return out;
}

std::vector<std::string> crush_map_seeds(Rng& rng) {
  std::vector<std::string> out{read_corpus("CrushMap/fresh_cluster.bin").to_string()};
  for (int i = 0; i < 4; i++) out.push_back(wire::to_bytes(random_crush(rng, 12)).to_string());
  return out;
}

std::vector<std::string> crush_text_seeds(Rng& rng) {
  std::vector<std::string> out{read_corpus("OSDMap/after_edits.crush.txt").to_string()};
  for (int i = 0; i < 3; i++) out.push_back(crush_to_text(random_crush(rng, 8)));
  return out;
}

std::vector<std::string> small_map_seeds(Rng& rng) {
  return {read_corpus("MonMap/one_mon.bin").to_string(),
          read_corpus("MgrMap/active.bin").to_string(),
          wire::to_bytes(wire::generated<MonMap>(rng)).to_string(),
          wire::to_bytes(wire::generated<MgrMap>(rng)).to_string()};
}

}  // namespace plimsoll::fuzz
