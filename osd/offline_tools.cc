// SPDX-License-Identifier: LGPL-2.1-or-later
// What helps where the cluster cannot: a PG out of the store of a stopped OSD, an object out of it,
// more room for it. Each says on standard error or output what it did, since nobody else will.
#include <fmt/format.h>

#include "common/base/size_text.h"
#include "common/command/version.h"
#include "common/daemon/tool_files.h"
#include "osd/osd.h"
#include "osd/pg/offline_removal.h"
#include "osd/store/block_store.h"
#include "osd/store/export.h"

namespace plimsoll::osd {

namespace {

Task<Result<Epoch>> newest_map(ObjectStore& store) {
  CO_TRY(raw, co_await store.store_get(kSuperblockKey));
  if (!raw) co_return fail(EIO, "the store has no superblock of an OSD");
  CO_TRY(superblock, wire::from_bytes<OsdSuperblock>(*raw, "superblock of the OSD"));
  co_return superblock.newest_map;
}

Task<Result<LogEntry>> remove_from(ObjectStore& store, OfflineRemoval what) {
  CO_TRY(epoch, co_await newest_map(store));
  what.newest_map = epoch;
  co_return co_await remove_offline(store, std::move(what));
}

}  // namespace

Task<Result<>> Osd::export_one_pg() {
  const auto& flags = env_.arguments;
  CO_TRY(pg, PgId::parse(flags.flag("export-pg")));
  const std::string file = flags.has_flag("file") ? flags.flag("file") : "-";
  CO_TRY(sink, daemon::open_output(file));
  CO_TRY(done, co_await export_pg(env_.runtime, env_.config.osd_data(), pg, kVersionText, *sink));
  fmt::print(stderr, "exported pg {}: {} objects, {} of data, {} omap keys\n", pg.to_string(),
             done.objects, bytes_text(done.data_bytes), done.omap_keys);
  co_return Result<>();
}

Result<> Osd::list_one_export() {
  const std::string file = env_.arguments.flag("list-export");
  TRY(source, daemon::open_input(file));
  auto listed = list_export(*source);
  if (!listed) return fail(listed.error().code(), file + ": " + listed.error().text());
  const std::string text = command::print(*listed, command::Format::kJsonPretty) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
  return {};
}

Task<Result<>> Osd::remove_one_object() {
  const auto& flags = env_.arguments;
  const auto values = flags.flag_values("remove-object");
  OfflineRemoval what;
  CO_TRY(pg, PgId::parse(values.front()));
  what.pg = pg;
  what.name = values.back();
  what.nspace = flags.flag("namespace");
  what.locator = flags.flag("locator");
  what.osd = whoami_;
  what.now = env_.runtime.clock().wall();

  BlockStoreOptions options;
  options.path = env_.config.osd_data();
  options.owner.osd = whoami_;
  options.journal_only = true;
  BlockStore store(env_.runtime, options);
  CO_TRY_VOID(co_await store.mount());
  const uint64_t before = store.statfs().available;
  const std::string name = what.name;
  auto removed = co_await remove_from(store, std::move(what));
  const uint64_t freed = store.statfs().available - before;
  co_await store.umount();
  CO_TRY_VOID(removed);
  fmt::print(
      "removed '{}' from pg {}, {} freed; entered in its log as {}: the other copies remove it "
      "too when they peer with this OSD, unless they went on without it, and then it comes back\n",
      name, pg.to_string(), bytes_text(freed), removed->version.to_string());
  co_return Result<>();
}

Task<Result<>> Osd::expand_store() {
  uint64_t size = env_.config.osd_block_size();
  if (env_.arguments.has_flag("size")) {
    CO_TRY(asked, config::parse_size(env_.arguments.flag("size")));
    size = asked;
  }
  StoreOwner owner;
  owner.osd = whoami_;
  const std::string path = env_.config.osd_data();
  CO_TRY(before, co_await expand(env_.runtime, path, owner, size, !env_.config.osd_block_sparse()));
  size = round_down(size, kBlock);
  if (before == size) fmt::print("{} has {} bytes already\n", path, size);
  else fmt::print("{} had {} bytes and has {} now\n", path, before, size);
  co_return Result<>();
}

}  // namespace plimsoll::osd
