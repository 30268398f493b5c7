// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/store_files.h"

#include <fmt/format.h>

#include "osd/store/allocator.h"
#include "osd/store/overlay.h"
#include "osd/store/patient_file.h"

namespace plimsoll::osd {

namespace {

std::string block_path(const std::string& dir) { return dir + "/block"; }
std::string journal_path(const std::string& dir) { return dir + "/journal"; }
std::string ballast_path(const std::string& dir) { return dir + "/ballast"; }
std::string kv_path(const std::string& dir) { return dir + "/kv"; }

Task<Result<Superblock>> read_superblock(BlockFile& file, std::string path) {
  std::optional<Superblock> best;
  std::string why;
  for (const uint64_t at : kSuperblockOffset) {
    if (at + kBlock > file.size()) co_return fail(EINVAL, path + ": too short for a superblock");
    CO_TRY(block, co_await file.read(at, kBlock));
    auto copy = decode_superblock(block);
    if (!copy) why = copy.error().text();
    else if (!best || copy->generation > best->generation) best = *copy;
  }
  if (!best) co_return fail(EINVAL, path + ": " + why);
  if (best->device_size > file.size())
    co_return fail(EINVAL, fmt::format("{}: file has {} bytes, superblock says {}", path,
                                       file.size(), best->device_size));
  co_return *best;
}

Result<> check_owner(const Superblock& s, const StoreOwner& owner, const std::string& path) {
  if (owner.fsid && *owner.fsid != s.fsid)
    return fail(EINVAL, fmt::format("{}: store belongs to cluster {}, not {}", path,
                                    s.fsid.to_string(), owner.fsid->to_string()));
  if (owner.osd && *owner.osd != s.osd)
    return fail(EINVAL,
                fmt::format("{}: store belongs to osd.{}, not osd.{}", path, s.osd, *owner.osd));
  return {};
}

KvBatch initial_keys(const Superblock& s) {
  KvBatch batch;
  FreeMap map(s.device_size / kBlock);
  map.mark({0, kReservedBlocks}, true);
  batch.put(key::free_map(0), map.bitmap(0));
  batch.put(std::string(key::kInstance), s.instance.to_string());
  batch.put(std::string(key::kCounters), wire::to_bytes(Counters()).to_string());
  return batch;
}

/// Durable when it returns.
Task<Result<>> make_journal(Runtime& rt, const MkfsOptions& mkfs, Uuid instance) {
  BlockFileOptions options;
  options.create = true;
  options.size = mkfs.journal_size;
  options.preallocate = options.zeroed = mkfs.preallocate;
  CO_TRY(file, co_await rt.open_block_file(journal_path(mkfs.path), options));
  co_return co_await Journal::make(*file, instance);
}

Task<Result<std::unique_ptr<BlockFile>>> open_patient(Runtime& rt, std::string path,
                                                       BlockFileOptions existing,
                                                       Ballast& ballast) {
  CO_TRY(file, co_await rt.open_block_file(path, existing));
  co_return std::make_unique<PatientFile>(std::move(file), ballast, rt.clock());
}

Task<Result<std::unique_ptr<Journal>>> open_journal(Runtime& rt, std::string path, Uuid instance,
                                                    BlockFileOptions existing,
                                                    Ballast& ballast) {
  CO_TRY(file, co_await open_patient(rt, path, existing, ballast));
  auto journal = std::make_unique<Journal>(std::move(file));
  auto opened = co_await journal->open(instance);
  if (!opened) co_return fail(opened.error().code(), path + ": " + opened.error().text());
  co_return std::move(journal);
}

/// Before the key-value store is opened, so that it may spend it.
Task<Result<>> make_ballast(Runtime& rt, const MkfsOptions& mkfs) {
  if (!mkfs.ballast) co_return Result<>();
  CO_TRY(ballast, co_await rt.open_ballast(ballast_path(mkfs.path), mkfs.ballast));
  auto restored = co_await ballast->restore(0);
  if (!restored && restored.error().code() == EOPNOTSUPP) co_return Result<>();
  co_return restored;
}

}  // namespace

Task<Result<>> mkfs(Runtime& rt, MkfsOptions options) {
  Superblock s;
  s.fsid = options.fsid;
  s.osd = options.osd;
  s.device_size = round_down(options.size, kBlock);
  s.generation = 1;
  for (size_t i = 0; i < s.instance.bytes.size(); i++) s.instance.bytes[i] = rt.rng().next() >> 32;
  if (s.device_size < kMinDevice)
    co_return fail(EINVAL,
                   fmt::format("{}: a store needs at least {} bytes", options.path, kMinDevice));
  if (options.journal_size < Journal::kMinSize)
    co_return fail(EINVAL, fmt::format("{}: a journal needs at least {} bytes", options.path,
                                       Journal::kMinSize));

  CO_TRY_VOID(rt.make_dirs(options.path));
  CO_TRY(lock, rt.lock_dir(options.path));
  BlockFileOptions file_options;
  file_options.create = true;
  file_options.size = s.device_size;
  file_options.preallocate = options.preallocate;
  CO_TRY(file, co_await rt.open_block_file(block_path(options.path), file_options));
  CO_TRY_VOID(co_await make_journal(rt, options, s.instance));
  CO_TRY_VOID(co_await make_ballast(rt, options));
  KvOptions kv_options;
  kv_options.create = true;
  CO_TRY(kv, co_await rt.open_kv(kv_path(options.path), kv_options));
  auto committed = co_await kv->commit(initial_keys(s));
  co_await kv->close();
  CO_TRY_VOID(committed);
  // The superblock comes last: with it, the store is there.
  const Bytes block = encode_superblock(s);
  for (const uint64_t at : kSuperblockOffset) {
    std::vector<Bytes> pieces(1, block);
    CO_TRY_VOID(co_await file->write(at, std::move(pieces)));
  }
  co_return co_await file->sync();
}

Task<Result<StoreFiles>> open_files(Runtime& rt, std::string path, StoreOwner owner, KvOptions kv,
                                    Access access, std::optional<uint64_t> ballast) {
  StoreFiles out;
  out.overlaid = kv.read_only = access != Access::kWrite;
  BlockFileOptions existing;
  existing.read_only = out.overlaid;
  CO_TRY(lock, rt.lock_dir(path));
  out.lock = std::move(lock);
  CO_TRY(set_aside, co_await rt.open_ballast(ballast_path(path), ballast));
  out.ballast = std::move(set_aside);
  CO_TRY(file, co_await open_patient(rt, block_path(path), existing, *out.ballast));
  out.block = std::move(file);
  CO_TRY(superblock, co_await read_superblock(*out.block, block_path(path)));
  out.superblock = superblock;
  CO_TRY_VOID(check_owner(superblock, owner, path));
  existing.read_only = access == Access::kRead;
  CO_TRY(journal, co_await open_journal(rt, journal_path(path), superblock.instance, existing,
                                        *out.ballast));
  out.journal = std::move(journal);
  kv.create = false;
  kv.ballast = out.ballast.get();
  kv.counter_spaces = {key::kPgMeta};  // the PG logs' entries, above all
  CO_TRY(opened, co_await rt.open_kv(kv_path(path), kv));
  out.kv = std::move(opened);
  auto instance = co_await out.kv->get(std::string(key::kInstance));
  if (!instance || !*instance || **instance != superblock.instance.to_string()) {
    co_await out.kv->close();
    if (!instance) co_return instance.error();
    co_return fail(EINVAL, kv_path(path) + " does not belong to the block file beside it");
  }
  if (out.overlaid) {
    out.block = std::make_unique<OverlayBlockFile>(std::move(out.block));
    out.kv = std::make_unique<OverlayKv>(std::move(out.kv));
  }
  co_return out;
}

Task<Result<uint64_t>> expand(Runtime& rt, std::string path, StoreOwner owner, uint64_t size,
                              bool preallocate) {
  CO_TRY(lock, rt.lock_dir(path));
  BlockFileOptions options;
  CO_TRY(file, co_await rt.open_block_file(block_path(path), options));
  CO_TRY(superblock, co_await read_superblock(*file, block_path(path)));
  CO_TRY_VOID(check_owner(superblock, owner, path));
  const uint64_t before = superblock.device_size;
  size = round_down(size, kBlock);
  if (size < before)
    co_return fail(EINVAL, fmt::format("{} has {} bytes and cannot shrink to {}", block_path(path),
                                       before, size));
  if (size == before) co_return before;

  file.reset();
  options.grow_to = size;
  options.preallocate = preallocate;
  CO_TRY(larger, co_await rt.open_block_file(block_path(path), options));
  // Last: until it says so, the new blocks do not exist. The free map has no entry for them, which
  // is to say that they are free.
  superblock.device_size = size;
  superblock.generation++;
  const Bytes block = encode_superblock(superblock);
  for (const uint64_t at : kSuperblockOffset)
    CO_TRY_VOID(co_await larger->write_durable(at, block));
  co_return before;
}

}  // namespace plimsoll::osd
