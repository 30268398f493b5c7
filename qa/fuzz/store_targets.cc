// SPDX-License-Identifier: LGPL-2.1-or-later
// What an OSD reads from its disk, what replicas are sent, and exports of PGs. A transaction's
// input is { u32 front length, front, data }. Mutations of an export rarely get past its checksums,
// so its input is also read as { u8 kind, payload } of one record.
#include "common/wire/generate.h"
#include "osd/store/commit_record.h"
#include "osd/store/export.h"
#include "osd/store/format.h"
#include "osd/store/onode.h"
#include "osd/store/transaction.h"
#include "qa/fuzz/targets.h"

namespace plimsoll::fuzz {

namespace {

using namespace osd;

std::string transaction_text(const Transaction& t) {
  ByteWriter front;
  Bytes data;
  t.encode(front, data);
  ByteWriter w;
  w.blob(front.view());
  w.raw(data.view());
  return w.take_string();
}

Result<Transaction> transaction_from(Bytes input) {
  ByteReader r(input);
  const Bytes front = r.blob();
  ByteReader front_reader(front);
  return Transaction::decode(front_reader, r.raw(r.remaining()));
}

std::string record_text(const CommitRecord& record) {
  std::string out(encoded_size(record), '\0');
  encode(record, reinterpret_cast<uint8_t*>(out.data()));
  return out;
}

struct TextSource : ByteSource {
  explicit TextSource(std::string_view t) : text(t) {}
  Result<size_t> read(std::span<uint8_t> into) override {
    const size_t n = text.copy(reinterpret_cast<char*>(into.data()), into.size());
    text.remove_prefix(n);
    return n;
  }
  std::string_view text;
};

struct TextSink : ByteSink {
  Result<> write(std::string_view data) override {
    text += data;
    return {};
  }
  Result<> finish() override { return {}; }
  std::string text;
};

}  // namespace

void run_transaction(Bytes input) {
  auto t = transaction_from(input);
  if (!t) return CHECK(t.error().code() == EINVAL);
  const std::string text = transaction_text(*t);
  auto again = transaction_from(Bytes::copy(text));
  CHECK_NOTE(again, "what we encode can be decoded");
  CHECK(transaction_text(*again) == text);
}

void run_onode(Bytes input) {
  if (auto o = wire::from_bytes<Onode>(input, "onode")) check_stable(*o);
  if (auto c = wire::from_bytes<Counters>(input, "counters")) check_stable(*c);
  if (auto u = wire::from_bytes<Usage>(input, "usage")) check_stable(*u);
}

void run_superblock(Bytes input) {
  auto s = decode_superblock(input);
  if (!s) return CHECK(!s.error().text().empty());
  CHECK(decode_superblock(encode_superblock(*s)));
}

void run_commit_record(Bytes input) {
  auto record = decode_commit_record(input);
  if (!record) return CHECK(record.error().code() == EINVAL);
  CHECK(record_text(*record) == input.view());
}

void run_export(Bytes input) {
  TextSource source(input.view());
  if (auto listed = list_export(source); !listed) CHECK(listed.error().code() == EINVAL);
  if (input.empty()) return;
  auto record = decode_export_record(input.data()[0], input.slice(1));
  if (!record) return;
  const Bytes first = encode_export_record(*record);
  auto again = decode_export_record(static_cast<uint8_t>(record->index()), first);
  CHECK_NOTE(again, "what we encode can be decoded");
  CHECK(encode_export_record(*again) == first);
}

std::vector<std::string> transaction_seeds(Rng& rng) {
  std::vector<std::string> out;
  for (int i = 0; i < 6; i++) {
    Transaction t;
    const PgId pg = wire::generated<PgId>(rng);
    const HObject o = wire::generated<HObject>(rng);
    t.create_collection(pg);
    t.write(pg, o, rng.below(1 << 20), Bytes::take(std::string(rng.below(300), 'w')));
    t.omap_set(pg, o, wire::generated<std::map<std::string, Bytes>>(rng));
    t.set_attr(pg, o, "name", Bytes::copy("value"));
    if (rng.chance(0.5)) t.write(pg, o, 0, Bytes::take(std::string(rng.below(300), 'v')));
    t.omap_remove_range(pg, o, "a", "b");
    t.remove(pg, o);
    out.push_back(transaction_text(t));
  }
  return out;
}

std::vector<std::string> onode_seeds(Rng& rng) {
  Onode o;
  o.size = 100'000;
  o.attrs = wire::generated<std::map<std::string, Bytes>>(rng);
  o.map({0, 100, {1, 2, 3}});
  o.map({10, 300, {4, 5}});
  return {wire::to_bytes(o).to_string(),
          wire::to_bytes(wire::generated<Counters>(rng)).to_string(),
          wire::to_bytes(wire::generated<Usage>(rng)).to_string()};
}

std::vector<std::string> superblock_seeds(Rng& rng) {
  return {encode_superblock(wire::generated<Superblock>(rng)).to_string()};
}

std::vector<std::string> commit_record_seeds(Rng& rng) {
  CommitRecord record;
  record.in_place = rng.below(100);
  record.batch.put("key", std::string(rng.below(300), 'v'));
  record.batch.erase("other");
  record.batch.erase_range("from", "to");
  for (const uint32_t used : {0u, 100u, 4096u})
    record.blocks.push_back({rng.below(100), Bytes::zeros(kBlock), used});
  return {record_text(record)};
}

std::vector<std::string> export_seeds(Rng& rng) {
  const std::vector<ExportRecord> records{
      wire::generated<ExportHeader>(rng),
      wire::generated<ExportPgKeys>(rng),
      ExportObject{wire::generated<HObject>(rng), 1000, 0, 0,
                   wire::generated<std::map<std::string, Bytes>>(rng)},
      ExportData{100, Bytes::zeros(rng.below(300))},
      ExportOmapHeader{Bytes::copy("header")},
      ExportOmap{{{"key", Bytes::copy("value")}}}};
  TextSink whole;
  ExportWriter writer(whole);
  std::vector<std::string> out;
  for (const auto& r : records) {
    CHECK(writer.write(r));
    ByteWriter one;
    one.u8(static_cast<uint8_t>(r.index()));
    one.raw(encode_export_record(r).view());
    out.push_back(one.take_string());
  }
  CHECK(writer.finish());
  out.push_back(whole.text);
  return out;
}

}  // namespace plimsoll::fuzz
