// SPDX-License-Identifier: LGPL-2.1-or-later
// What plimsoll-osd does instead of serving: make a store, check one, show one.
#include <fmt/format.h>

#include "common/command/version.h"
#include "osd/osd.h"
#include "osd/store/block_store.h"
#include "osd/store/dump.h"
#include "osd/store/fsck.h"

namespace plimsoll::osd {

namespace {

Uuid random_uuid(Rng& rng) {
  Uuid u;
  for (auto& b : u.bytes) b = static_cast<uint8_t>(rng.below(256));
  u.bytes[6] = static_cast<uint8_t>((u.bytes[6] & 0x0f) | 0x40);
  u.bytes[8] = static_cast<uint8_t>((u.bytes[8] & 0x3f) | 0x80);
  return u;
}

}  // namespace

std::vector<config::ProgramFlag> Osd::flags() {
  return {{"mkfs", "", "make the data directory of a new OSD and end"},
          {"fsck", "", "check the store of a stopped OSD and end; writes nothing"},
          {"dump", "", "print the store of a stopped OSD as JSON and end; writes nothing"},
          {"pgid", "PG", "limit --dump to one PG"},
          {"export-pg", "PG", "write a PG of a stopped OSD to --file and end; changes nothing"},
          {"file", "FILE", "a new file, or - for standard output (the default)"},
          {"list-export", "FILE", "check such a file, print what is in it as JSON and end"},
          {"remove-object", "PG NAME",
           "remove an object from a stopped OSD and end; other copies follow when it starts"},
          {"namespace", "NAME", "of that object"},
          {"locator", "KEY", "of that object"},
          {"expand", "", "make the block file of a stopped OSD larger and end"},
          {"size", "SIZE", "how large (default: osd_block_size)"}};
}

Task<Result<bool>> Osd::run_once() {
  const auto& flags = env_.arguments;
  if (flags.has_flag("mkfs")) {
    CO_TRY_VOID(co_await mkfs());
    co_return true;
  }
  if (flags.has_flag("fsck")) {
    CO_TRY_VOID(co_await fsck());
    co_return true;
  }
  if (flags.has_flag("dump")) {
    CO_TRY_VOID(co_await dump());
    co_return true;
  }
  if (flags.has_flag("export-pg")) {
    CO_TRY_VOID(co_await export_one_pg());
    co_return true;
  }
  if (flags.has_flag("list-export")) {
    CO_TRY_VOID(list_one_export());
    co_return true;
  }
  if (flags.has_flag("remove-object")) {
    CO_TRY_VOID(co_await remove_one_object());
    co_return true;
  }
  if (flags.has_flag("expand")) {
    CO_TRY_VOID(co_await expand_store());
    co_return true;
  }
  co_return false;
}

Task<Result<>> Osd::mkfs() {
  if (whoami_ == kNoOsd)
    co_return fail(EINVAL, fmt::format("'{}' is no OSD id", env_.config.who().id));
  MkfsOptions options;
  options.path = env_.config.osd_data();
  options.fsid = env_.config.fsid_value();
  options.osd = whoami_;
  options.size = env_.config.osd_block_size();
  options.journal_size = env_.config.osd_block_journal_size();
  options.preallocate = !env_.config.osd_block_sparse();
  options.ballast = ballast_size();
  if (options.fsid.is_zero())
    co_return fail(EINVAL, "--mkfs needs the cluster's fsid (in the conf)");
  CO_TRY_VOID(env_.runtime.make_dirs(options.path));
  CO_TRY_VOID(co_await osd::mkfs(env_.runtime, options));

  BlockStoreOptions open;
  open.path = options.path;
  BlockStore store(env_.runtime, open);
  CO_TRY_VOID(co_await store.mount());
  OsdSuperblock superblock;
  superblock.fsid = options.fsid;
  superblock.osd = whoami_;
  superblock.created = env_.runtime.clock().wall();
  superblock.created_by = kVersionText;
  CO_TRY(uuid, Uuid::parse(env_.config.osd_uuid()));
  superblock.osd_uuid = uuid.is_zero() ? random_uuid(env_.runtime.rng()) : uuid;
  auto done = co_await store.commit(MapStore::first_superblock(superblock));
  co_await store.umount();
  co_return done;
}

Task<Result<>> Osd::fsck() {
  auto report = co_await osd::fsck(env_.runtime, env_.config.osd_data());
  if (!report) co_return report.error();
  for (const auto& finding : report->findings) fmt::print("{}\n", finding);
  if (!report->findings.empty())
    co_return fail(EIO, fmt::format("fsck: {} findings in {}", report->findings.size(),
                                    env_.config.osd_data()));
  fmt::print("fsck: {} is clean\n", env_.config.osd_data());
  co_return Result<>();
}

Task<Result<>> Osd::dump() {
  std::optional<PgId> pg;
  if (const std::string text = env_.arguments.flag("pgid"); !text.empty()) {
    CO_TRY(parsed, PgId::parse(text));
    pg = parsed;
  }
  auto shown = co_await osd::dump(env_.runtime, env_.config.osd_data(), pg);
  if (!shown) co_return shown.error();
  // A reader that closes the pipe early (head) is no error of ours.
  const std::string text = command::print(*shown, command::Format::kJsonPretty) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  co_return Result<>();
}

}  // namespace plimsoll::osd
