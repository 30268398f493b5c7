// SPDX-License-Identifier: LGPL-2.1-or-later
// What --export-pg writes: one PG as a stream of records, each with a checksum that covers all
// records before it, so that a stream which was cut, mixed or changed anywhere is recognised.
// Format: doc/formats/pg_export.md. The reader is total and holds one record at a time.
//
//   header, keys of the PG*, { object, data*, { omap header, omap* }? }*, end
#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>

#include "common/base/stream.h"
#include "common/wire/types.h"

namespace plimsoll::osd {

struct ExportHeader {
  static constexpr wire::Envelope kEnvelope{1, 1};
  Uuid fsid;      ///< of the cluster
  Uuid instance;  ///< of the store
  OsdId osd = kNoOsd;
  PgId pg;
  std::string made_by;  ///< version
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("instance", instance);
    f("osd", osd);
    f("pg", pg);
    f("made_by", made_by);
  }
};

/// Some of the PG's own keys: info, log, missing objects.
struct ExportPgKeys {
  static constexpr wire::Envelope kEnvelope{1, 1};
  std::map<std::string, Bytes> pairs;
  template <class F>
  void fields(F& f) {
    f("pairs", pairs);
  }
};

struct ExportObject {
  static constexpr wire::Envelope kEnvelope{1, 1};
  HObject object;
  uint64_t size = 0;
  uint64_t expected_object_size = 0;
  uint64_t expected_write_size = 0;
  std::map<std::string, Bytes> attrs;
  template <class F>
  void fields(F& f) {
    f("object", object);
    f("size", size);
    f("expected_object_size", expected_object_size);
    f("expected_write_size", expected_write_size);
    f("attrs", attrs);
  }
};

/// Of the object before it, ascending; what lies between is a hole.
struct ExportData {
  static constexpr wire::Envelope kEnvelope{1, 1};
  uint64_t offset = 0;
  Bytes data;
  template <class F>
  void fields(F& f) {
    f("offset", offset);
    f("data", data);
  }
};

struct ExportOmapHeader {
  static constexpr wire::Envelope kEnvelope{1, 1};
  Bytes header;
  template <class F>
  void fields(F& f) {
    f("header", header);
  }
};

/// Some of the object's pairs, ascending.
struct ExportOmap {
  static constexpr wire::Envelope kEnvelope{1, 1};
  std::map<std::string, Bytes> pairs;
  template <class F>
  void fields(F& f) {
    f("pairs", pairs);
  }
};

/// What the stream held.
struct ExportEnd {
  static constexpr wire::Envelope kEnvelope{1, 1};
  uint64_t pg_keys = 0;
  uint64_t objects = 0;
  uint64_t data_bytes = 0;
  uint64_t omap_keys = 0;
  template <class F>
  void fields(F& f) {
    f("pg_keys", pg_keys);
    f("objects", objects);
    f("data_bytes", data_bytes);
    f("omap_keys", omap_keys);
  }
  bool operator==(const ExportEnd&) const = default;
};

/// The index in it is the record's kind in the stream.
using ExportRecord = std::variant<ExportHeader, ExportPgKeys, ExportObject, ExportData,
                                  ExportOmapHeader, ExportOmap, ExportEnd>;

Bytes encode_export_record(const ExportRecord& record);
/// EINVAL says what is wrong with it.
Result<ExportRecord> decode_export_record(uint8_t kind, Bytes payload);

/// Whether records come in an order that makes sense; counts them.
class ExportOrder {
 public:
  Result<> accept(const ExportRecord& record);
  bool ended() const { return stage_ == Stage::kEnded; }
  const ExportEnd& counts() const { return counts_; }

 private:
  enum class Stage { kHeader, kPg, kData, kOmapHeader, kOmap, kEnded };
  Stage stage_ = Stage::kHeader;
  std::optional<HObject> object_;
  uint64_t size_ = 0;     ///< of the object
  uint64_t covered_ = 0;  ///< of it, by data so far
  std::optional<std::string> last_key_;
  ExportEnd counts_;
};

class ExportWriter {
 public:
  explicit ExportWriter(ByteSink& sink) : sink_(sink) {}
  Result<> write(const ExportRecord& record);
  /// The last record, with the counts, and the sink's end.
  Result<> finish();
  const ExportEnd& counts() const { return order_.counts(); }

 private:
  ByteSink& sink_;
  ExportOrder order_;
  uint32_t crc_ = 0xffffffff;
};

class ExportReader {
 public:
  explicit ExportReader(ByteSource& source) : source_(source) {}
  /// The next record; nullopt behind the last. EINVAL names the place of what is wrong.
  Result<std::optional<ExportRecord>> next();

 private:
  Error damaged(const std::string& why) const;
  Result<Bytes> take(size_t length);

  ByteSource& source_;
  ExportOrder order_;
  uint64_t at_ = 0;
  uint32_t crc_ = 0xffffffff;
};

}  // namespace plimsoll::osd
