// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/onode.h"

#include <algorithm>

#include "osd/store/format.h"

namespace plimsoll::osd {

namespace {

constexpr wire::Envelope kEnvelope{1, 1};
/// Rejects damaged onodes before they turn into addresses: 2^40 blocks are 4 EiB.
constexpr uint64_t kMaxBlock = uint64_t{1} << 40;

struct EndsAfter {
  bool operator()(uint64_t logical, const MappedRun& r) const { return logical < r.end(); }
};

}  // namespace

uint64_t Onode::mapped_blocks() const {
  uint64_t n = 0;
  for (const auto& r : runs) n += r.count();
  return n;
}

uint64_t Onode::stored_bytes() const {
  const uint64_t all = mapped_blocks() * kBlock;
  const bool tail_mapped = size % kBlock && !runs.empty() && runs.back().end() * kBlock > size;
  return tail_mapped ? all - (kBlock - size % kBlock) : all;
}

const MappedRun* Onode::find(uint64_t logical) const {
  auto r = std::upper_bound(runs.begin(), runs.end(), logical, EndsAfter());
  return r != runs.end() && r->logical <= logical ? &*r : nullptr;
}

std::vector<MappedRun> Onode::mapped(uint64_t first, uint64_t end) const {
  std::vector<MappedRun> out;
  auto r = std::upper_bound(runs.begin(), runs.end(), first, EndsAfter());
  for (; r != runs.end() && r->logical < end; ++r) {
    const uint64_t from = std::max(first, r->logical) - r->logical;
    const uint64_t to = std::min(end, r->end()) - r->logical;
    out.push_back({r->logical + from,
                   r->physical + from,
                   {r->crcs.begin() + static_cast<ptrdiff_t>(from),
                    r->crcs.begin() + static_cast<ptrdiff_t>(to)}});
  }
  return out;
}

void Onode::map(MappedRun run) {
  auto next = std::upper_bound(runs.begin(), runs.end(), run.logical, EndsAfter());
  DCHECK(next == runs.end() || run.end() <= next->logical);
  if (next != runs.begin()) {
    auto& before = next[-1];
    if (before.end() == run.logical && before.physical + before.count() == run.physical) {
      before.crcs.insert(before.crcs.end(), run.crcs.begin(), run.crcs.end());
      return;
    }
  }
  runs.insert(next, std::move(run));
}

void Onode::set_crc(uint64_t logical, uint32_t crc) {
  auto* run = const_cast<MappedRun*>(find(logical));
  CHECK(run);
  run->crcs[logical - run->logical] = crc;
}

void Onode::unmap(uint64_t first, uint64_t end, std::vector<BlockRun>& freed) {
  auto r = std::upper_bound(runs.begin(), runs.end(), first, EndsAfter());
  while (r != runs.end() && r->logical < end) {
    const uint64_t from = std::max(first, r->logical);
    const uint64_t to = std::min(end, r->end());
    const auto at = static_cast<ptrdiff_t>(from - r->logical);
    const auto until = static_cast<ptrdiff_t>(to - r->logical);
    freed.push_back({r->physical + (from - r->logical), to - from});
    MappedRun behind{to, r->physical + (to - r->logical), {r->crcs.begin() + until, r->crcs.end()}};
    r->crcs.resize(static_cast<size_t>(at));
    r = r->crcs.empty() ? runs.erase(r) : r + 1;
    if (!behind.crcs.empty()) r = runs.insert(r, std::move(behind)) + 1;
  }
}

Usage Onode::usage(uint64_t kv_bytes) const {
  return {1, mapped_blocks(), stored_bytes(), omap_bytes, kv_bytes};
}

size_t Onode::memory_bytes() const {
  size_t n = sizeof *this;
  for (const auto& r : runs) n += sizeof r + 4 * r.crcs.capacity();
  for (const auto& [name, value] : attrs) n += 160 + name.size() + value.size();
  return n;
}

void encode(const Onode& o, ByteWriter& w) {
  wire::enclose(w, kEnvelope, [&] {
    w.u64(o.size);
    w.u64(o.expected_object_size);
    w.u64(o.expected_write_size);
    w.u64(o.omap_id);
    w.u64(o.omap_keys);
    w.u64(o.omap_bytes);
    wire::encode(o.attrs, w);
    w.u32(static_cast<uint32_t>(o.runs.size()));
    for (const auto& r : o.runs) {
      w.u64(r.logical);
      w.u64(r.physical);
      w.blob({reinterpret_cast<const char*>(r.crcs.data()), 4 * r.crcs.size()});
    }
  });
}

void decode(Onode& o, ByteReader& reader) {
  o = {};
  wire::disclose(reader, kEnvelope, [&](uint8_t) {
    o.size = reader.u64();
    o.expected_object_size = reader.u64();
    o.expected_write_size = reader.u64();
    o.omap_id = reader.u64();
    o.omap_keys = reader.u64();
    o.omap_bytes = reader.u64();
    wire::decode(o.attrs, reader);
    // Values share the memory of what they were decoded from: the whole onode stays once.
    uint64_t end = 0;
    for (uint32_t n = reader.count(20); n && reader.ok(); n--) {
      MappedRun r;
      r.logical = reader.u64();
      r.physical = reader.u64();
      const Bytes crcs = reader.blob();
      if (crcs.empty() || crcs.size() % 4) return reader.fail("bad checksums");
      r.crcs.resize(crcs.size() / 4);
      std::memcpy(r.crcs.data(), crcs.data(), crcs.size());
      if (r.logical < end || r.logical > kMaxBlock || r.physical > kMaxBlock)
        return reader.fail("bad block run");
      end = r.end();
      o.runs.push_back(std::move(r));
    }
  });
}

}  // namespace plimsoll::osd
