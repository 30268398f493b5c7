// SPDX-License-Identifier: LGPL-2.1-or-later
// MapStore: the OSDMap of an OSD: the newest epoch, what of the last epochs is needed to bring
// clients and peers up to it, and what is kept in the store to begin with after a restart. It takes
// epochs one by one, since PGs must see every one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "common/msg/mon_messages.h"
#include "osd/pg/pg_host.h"

namespace plimsoll::osd {

/// Who this OSD is; the store's key "superblock".
struct OsdSuperblock {
  static constexpr wire::Envelope kEnvelope{2, 1};
  Uuid fsid;
  Uuid osd_uuid;
  OsdId osd = kNoOsd;
  Epoch full_map = 0;    ///< the epoch that is stored whole
  Epoch newest_map = 0;  ///< and those behind it, as differences
  Utime created;         ///< by mkfs
  std::string created_by;  ///< the version that did
  template <class F>
  void fields(F& f) {
    f("fsid", fsid);
    f("osd_uuid", osd_uuid);
    f("osd", osd);
    f("full_map", full_map);
    f("newest_map", newest_map);
    f("created", created, 2);
    f("created_by", created_by, 2);
  }
};
inline constexpr const char* kSuperblockKey = "superblock";

class MapStore {
 public:
  /// Reads the superblock and the maps it names. EINVAL or EIO says what is damaged.
  Task<Result<>> load(ObjectStore& store);
  const OsdSuperblock& superblock() const { return superblock_; }
  /// What mkfs stores.
  static Transaction first_superblock(const OsdSuperblock& superblock);

  /// Null before the first.
  const MapRef& current() const { return current_; }
  Epoch epoch() const { return current_ ? current_->epoch : 0; }

  /// The oldest epoch that the monitors still have, as far as they told; 0 before they did.
  Epoch cluster_oldest() const { return cluster_oldest_; }

  struct Step {
    std::vector<MapRef> maps;    ///< the new epochs, ascending
    Transaction txn;             ///< stores them
    bool gap = false;            ///< newer ones exist that do not connect
    std::optional<Error> error;  ///< a map behind those was damaged or another cluster's
  };
  Step apply(const msg::MOSDMap& message);

  /// What brings someone with epoch `have` up to current(): differences where they are at hand,
  /// else the whole map. At most `most` epochs.
  msg::MOSDMap since(Epoch have, size_t most);

 private:
  static constexpr size_t kKeep = 200;     ///< differences in memory
  static constexpr Epoch kFullEvery = 32;  ///< epochs between whole maps in the store

  Result<> advance(const msg::MOSDMap& message, Step& step);
  void take(map::OSDMap next, Step& step);
  void store_full(Transaction& txn);

  OsdSuperblock superblock_;
  MapRef current_;
  Epoch cluster_oldest_ = 0;
  std::map<Epoch, Bytes> incrementals_;
  Epoch full_epoch_ = 0;  ///< of full_
  Bytes full_;            ///< encoded on demand
};

}  // namespace plimsoll::osd
