// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/export_stream.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/crc32c.h"
#include "common/base/units.h"

namespace plimsoll::osd {

namespace {

constexpr std::string_view kMagic = "plimsoll pg v1\n\n";
constexpr size_t kHead = 9;              ///< crc, length, kind
constexpr uint64_t kMaxPayload = 1_GiB;  ///< larger lengths are damage
constexpr size_t kChunk = 1_MiB;         ///< memory follows what is really there

Error out_of_order(const char* what) { return fail(EINVAL, fmt::format("{} out of place", what)); }

template <size_t I = 0>
Result<ExportRecord> decode_as(uint8_t kind, Bytes payload) {
  if constexpr (I == std::variant_size_v<ExportRecord>) {
    return fail(EINVAL, fmt::format("unknown kind {}", kind));
  } else {
    if (kind != I) return decode_as<I + 1>(kind, std::move(payload));
    using Record = std::variant_alternative_t<I, ExportRecord>;
    TRY(record, wire::from_bytes<Record>(payload, "record"));
    return ExportRecord(std::in_place_index<I>, std::move(record));
  }
}

}  // namespace

Bytes encode_export_record(const ExportRecord& record) {
  return std::visit([](const auto& r) { return wire::to_bytes(r); }, record);
}

Result<ExportRecord> decode_export_record(uint8_t kind, Bytes payload) {
  return decode_as(kind, std::move(payload));
}

// ---- order --------------------------------------------------------------------------------------

Result<> ExportOrder::accept(const ExportRecord& record) {
  const bool has_omap = stage_ == Stage::kOmapHeader || stage_ == Stage::kOmap;
  if (stage_ == Stage::kEnded) return out_of_order("record behind the end");
  if ((stage_ == Stage::kHeader) != std::holds_alternative<ExportHeader>(record))
    return out_of_order("header");

  if (std::holds_alternative<ExportHeader>(record)) {
    stage_ = Stage::kPg;
  } else if (const auto* keys = std::get_if<ExportPgKeys>(&record)) {
    if (stage_ != Stage::kPg) return out_of_order("keys of the PG");
    counts_.pg_keys += keys->pairs.size();
  } else if (const auto* object = std::get_if<ExportObject>(&record)) {
    if (object_ && object->object <= *object_) return out_of_order("object");
    object_ = object->object;
    size_ = object->size;
    covered_ = 0;
    last_key_.reset();
    counts_.objects++;
    stage_ = Stage::kData;
  } else if (const auto* data = std::get_if<ExportData>(&record)) {
    const uint64_t length = data->data.size();
    if (stage_ != Stage::kData || data->offset < covered_ || data->offset > size_ ||
        length > size_ - data->offset)
      return out_of_order("data");
    covered_ = data->offset + length;
    counts_.data_bytes += length;
  } else if (std::holds_alternative<ExportOmapHeader>(record)) {
    if (stage_ != Stage::kData) return out_of_order("omap header");
    stage_ = Stage::kOmapHeader;
  } else if (const auto* omap = std::get_if<ExportOmap>(&record)) {
    const auto& pairs = omap->pairs;
    if (!has_omap || pairs.empty() || (last_key_ && pairs.begin()->first <= *last_key_))
      return out_of_order("omap");
    last_key_ = pairs.rbegin()->first;
    counts_.omap_keys += pairs.size();
    stage_ = Stage::kOmap;
  } else if (std::get<ExportEnd>(record) != counts_) {
    return fail(EINVAL, "the end names other counts than the stream holds");
  } else {
    stage_ = Stage::kEnded;
  }
  return {};
}

// ---- writing ------------------------------------------------------------------------------------

Result<> ExportWriter::write(const ExportRecord& record) {
  const bool first = std::holds_alternative<ExportHeader>(record);
  TRY_VOID(order_.accept(record));
  if (first) TRY_VOID(sink_.write(kMagic));
  const Bytes payload = encode_export_record(record);
  if (payload.size() > kMaxPayload) return fail(EFBIG, "a record would be too large");
  ByteWriter checked;
  checked.u32(static_cast<uint32_t>(payload.size()));
  checked.u8(static_cast<uint8_t>(record.index()));
  crc_ = crc32c(crc32c(crc_, checked.view()), payload.view());
  ByteWriter head;
  head.u32(crc_);
  head.raw(checked.view());
  TRY_VOID(sink_.write(head.view()));
  return sink_.write(payload.view());
}

Result<> ExportWriter::finish() {
  const ExportEnd end = order_.counts();
  TRY_VOID(write(end));
  return sink_.finish();
}

// ---- reading ------------------------------------------------------------------------------------

Error ExportReader::damaged(const std::string& why) const {
  return fail(EINVAL, fmt::format("not a whole export of a PG: {} at byte {}", why, at_));
}

Result<Bytes> ExportReader::take(size_t length) {
  std::string out;
  while (out.size() < length) {
    const size_t before = out.size();
    out.resize(std::min(length, before + kChunk));
    auto* into = reinterpret_cast<uint8_t*>(out.data()) + before;
    TRY(n, source_.read({into, out.size() - before}));
    if (n < out.size() - before) return damaged("it ends early");
  }
  return Bytes::take(std::move(out));
}

Result<std::optional<ExportRecord>> ExportReader::next() {
  if (order_.ended()) {
    uint8_t behind = 0;
    TRY(n, source_.read({&behind, 1}));
    if (n) return damaged("bytes behind the end");
    return std::optional<ExportRecord>();
  }
  if (at_ == 0) {
    TRY(magic, take(kMagic.size()));
    if (magic.view() != kMagic) return damaged("no magic");
    at_ += kMagic.size();
  }
  TRY(head, take(kHead));
  ByteReader r(head);
  const uint32_t crc = r.u32();
  const uint32_t length = r.u32();
  const uint8_t kind = r.u8();
  if (length > kMaxPayload) return damaged("impossible length");
  TRY(payload, take(length));
  crc_ = crc32c(crc32c(crc_, head.view().substr(sizeof crc)), payload.view());
  if (crc_ != crc) return damaged("wrong checksum");
  auto record = decode_export_record(kind, std::move(payload));
  if (!record) return damaged(record.error().text());
  if (auto accepted = order_.accept(*record); !accepted) return damaged(accepted.error().text());
  at_ += kHead + length;
  return std::optional(std::move(*record));
}

}  // namespace plimsoll::osd
