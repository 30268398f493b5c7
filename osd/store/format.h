// SPDX-License-Identifier: LGPL-2.1-or-later
// What a block store looks like on disk: the superblock of the block file and the keys of the
// key-value store beside it; journal.h and commit_record.h have the journal. Prose and reasons:
// doc/formats/block_store.md. All numbers in the files are little endian; numbers in keys are big
// endian, so that keys sort as the things they name.
#pragma once

#include <optional>
#include <string>

#include "common/base/units.h"
#include "common/rt/block_file.h"
#include "common/wire/types.h"
#include "osd/store/usage.h"

namespace plimsoll::osd {

inline constexpr uint64_t kBlock = BlockFile::kBlock;  ///< allocation unit and checksum unit
inline constexpr uint64_t kReservedBlocks = 16;  ///< at the front, for the superblock's copies
inline constexpr uint64_t kSuperblockOffset[] = {0, 8 * kBlock};
inline constexpr std::string_view kMagic = "plimsoll block\n\n";
inline constexpr uint64_t kMinDevice = 16_MiB;

struct Superblock {
  /// Its version is that of the whole store. 1 had no journal.
  static constexpr wire::Envelope kEnvelope{2, 2};
  Uuid fsid;      ///< of the cluster
  Uuid instance;  ///< of this store; the key-value store holds it too
  OsdId osd = kNoOsd;
  uint64_t device_size = 0;
  uint32_t block_size = kBlock;
  uint64_t generation = 0;  ///< of the two copies the higher one counts
  template <class F> void fields(F& f) {
    f("fsid", fsid);
    f("instance", instance);
    f("osd", osd);
    f("device_size", device_size);
    f("block_size", block_size);
    f("generation", generation);
  }
};

/// One block, aligned: magic, crc32c of what follows, length, body, zeros.
Bytes checked_block(std::string_view magic, std::string_view body);
/// Its body. EINVAL says what is wrong with the block, which is `what`.
Result<Bytes> open_checked_block(std::string_view magic, const Bytes& block, const char* what);

Bytes encode_superblock(const Superblock& s);
/// EINVAL says what is wrong with the block, or that another version of the format made it.
Result<Superblock> decode_superblock(const Bytes& block);

/// Sums over the whole store, put with every group of transactions.
struct Counters : Usage {
  /// Who does not keep the usage of collections, as writers of version 1, must not open the store.
  static constexpr wire::Envelope kEnvelope{2, 2};
  uint64_t next_omap_id = 1;
  template <class F> void fields(F& f) {
    Usage::fields(f);
    f("next_omap_id", next_omap_id);
  }
  auto operator<=>(const Counters&) const = default;
};

namespace key {

inline constexpr char kCollection = 'C';  ///< pg -> its usage; nothing where not yet counted
inline constexpr char kOnode = 'O';       ///< pg object -> onode
inline constexpr char kPgMeta = 'M';      ///< pg name -> value
inline constexpr char kStore = 'S';       ///< name -> value
inline constexpr char kOmap = 'P';        ///< omap id, 0 -> header; omap id, 1, name -> value
inline constexpr char kFreeMap = 'F';     ///< chunk -> bitmap of used blocks
inline constexpr std::string_view kCounters = "Icounters";
inline constexpr std::string_view kInstance = "Iinstance";
inline constexpr std::string_view kLarge = "Ilarge";  ///< a commit record too large for the journal

std::string collection(PgId pg);
std::string onode(PgId pg, const HObject& object);
std::string onode_prefix(PgId pg);
std::string pg_meta(PgId pg, std::string_view name);
std::string store(std::string_view name);
std::string omap_header(uint64_t omap_id);
std::string omap(uint64_t omap_id, std::string_view name);
std::string free_map(uint64_t chunk);

/// The first key behind all that begin with `prefix`; empty where there is none.
std::string after_prefix(std::string prefix);

std::optional<PgId> parse_collection(std::string_view k);
/// The PG that a collection, onode or PG meta key begins with.
std::optional<PgId> parse_pg(std::string_view k);
std::optional<std::pair<PgId, HObject>> parse_onode(std::string_view k);
/// The id, and the name; nullopt in its place for the header.
struct OmapKey {
  uint64_t id = 0;
  std::optional<std::string> name;
};
std::optional<OmapKey> parse_omap(std::string_view k);
/// The number in a free map key.
std::optional<uint64_t> parse_number(std::string_view k);
inline constexpr size_t kPgMetaNameAt = 13;  ///< where the name starts in a pg_meta key

}  // namespace key

}  // namespace plimsoll::osd
