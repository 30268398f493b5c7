// SPDX-License-Identifier: LGPL-2.1-or-later
// What an OSD reads from its disk and what replicas are sent. A transaction's input is
// { u32 front length, front, data }.
#include "common/wire/generate.h"
#include "osd/store/commit_record.h"
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
          wire::to_bytes(wire::generated<Counters>(rng)).to_string()};
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

}  // namespace plimsoll::fuzz
