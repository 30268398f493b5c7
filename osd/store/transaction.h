// SPDX-License-Identifier: LGPL-2.1-or-later
// Transaction: an ordered list of changes to one object store, applied all or nothing. The primary
// makes one per write, applies it, and sends the same to every replica: the codec is part of its
// contract. Payloads stay Bytes, shared and not copied.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::osd {

/// What each code uses of TxnOp stands behind it. No change fails on account of the state it finds:
/// removing what is absent is nothing, writing creates the object, and so does everything else that
/// has an object and is not a removal.
enum class TxnCode : uint8_t {
  kCreateCollection = 1,  ///< pg
  kRemoveCollection,      ///< pg, with every object and all meta of it
  kTouch,                 ///< pg object
  kWrite,                 ///< pg object offset data
  kZero,                  ///< pg object offset length; does not change the size
  kTruncate,              ///< pg object offset (the new size)
  kRemove,                ///< pg object
  kSetAttr,               ///< pg object name data
  kRemoveAttr,            ///< pg object name
  kClearAttrs,            ///< pg object
  kOmapSet,               ///< pg object map
  kOmapRemove,            ///< pg object keys of map (values empty)
  kOmapRemoveRange,       ///< pg object [name, name2)
  kOmapClear,             ///< pg object; header too
  kOmapSetHeader,         ///< pg object data
  kAllocHint,             ///< pg object offset (expected object size) length (expected write size)
  kMetaSet,               ///< pg map: the PG's own keys (info, log)
  kMetaRemove,            ///< pg keys of map
  kMetaRemoveRange,       ///< pg [name, name2)
  kStoreSet,              ///< map: the OSD's own keys (superblock, osdmaps)
  kStoreRemove,           ///< keys of map
};

/// True for changes of an object that leave an absent one absent.
bool removes(TxnCode code);

struct TxnOp {
  TxnCode code = TxnCode::kTouch;
  PgId pg;
  HObject object;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string name;
  std::string name2;
  std::map<std::string, Bytes> map;
  Bytes data;  ///< in a message: large ones in the data segment, in order
  template <class F>
  void fields(F& f) {
    f("code", code);
    f("pg", pg);
    f("object", object);
    f("offset", offset);
    f("length", length);
    f("name", name);
    f("name2", name2);
    f("map", map);
  }
};

class Transaction {
 public:
  void create_collection(PgId pg);
  void remove_collection(PgId pg);
  void touch(PgId pg, const HObject& o);
  void write(PgId pg, const HObject& o, uint64_t offset, Bytes data);
  void zero(PgId pg, const HObject& o, uint64_t offset, uint64_t length);
  void truncate(PgId pg, const HObject& o, uint64_t size);
  void remove(PgId pg, const HObject& o);
  void set_attr(PgId pg, const HObject& o, std::string name, Bytes value);
  void remove_attr(PgId pg, const HObject& o, std::string name);
  void clear_attrs(PgId pg, const HObject& o);
  void omap_set(PgId pg, const HObject& o, std::map<std::string, Bytes> pairs);
  void omap_remove(PgId pg, const HObject& o, std::map<std::string, Bytes> keys);
  void omap_remove_range(PgId pg, const HObject& o, std::string from, std::string to);
  void omap_clear(PgId pg, const HObject& o);
  void omap_set_header(PgId pg, const HObject& o, Bytes header);
  void alloc_hint(PgId pg, const HObject& o, uint64_t object_size, uint64_t write_size);
  void meta_set(PgId pg, std::map<std::string, Bytes> pairs);
  void meta_remove(PgId pg, std::map<std::string, Bytes> keys);
  void meta_remove_range(PgId pg, std::string from, std::string to);
  void store_set(std::map<std::string, Bytes> pairs);
  void store_remove(std::map<std::string, Bytes> keys);

  void append(Transaction other);
  bool empty() const { return ops_.empty(); }
  const std::vector<TxnOp>& ops() const { return ops_; }
  /// The blocks of 4 KiB that all writes touch: what it may need at worst.
  uint64_t blocks_written() const;

  /// Everything but the large payloads, and those one after the other (no copy where there is one).
  void encode(ByteWriter& front, Bytes& data) const;
  /// EINVAL where front and data do not fit together.
  static Result<Transaction> decode(ByteReader& front, Bytes data);

 private:
  TxnOp& add(TxnCode code, PgId pg);
  TxnOp& add(TxnCode code, PgId pg, const HObject& o);
  std::vector<TxnOp> ops_;
};

}  // namespace plimsoll::osd
