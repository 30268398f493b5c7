// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/offline_removal.h"

#include <fmt/format.h>

#include <algorithm>

#include "osd/ops/object_state.h"
#include "osd/pg/pg.h"

namespace plimsoll::osd {

namespace {

constexpr size_t kPage = 1000;

/// The object itself, since its hash depends on the pool; or who else has its name.
Task<Result<HObject>> find_object(ObjectStore& store, const OfflineRemoval& what) {
  HObject from, to = HObject::max();
  std::string similar;
  for (bool more = true; more;) {
    CO_TRY(page, co_await store.list(what.pg, from, to, kPage + 1));
    more = page.size() > kPage;
    if (more) from = page.back();
    for (const auto& o : page) {
      if (o.oid != what.name || o.snap != kSnapHead) continue;
      const std::string locator = what.locator == what.name ? "" : what.locator;
      if (o.nspace == what.nspace && o.key == locator) co_return o;
      similar = fmt::format("; one of that name has namespace '{}' and locator '{}'", o.nspace,
                            o.key);
    }
  }
  co_return fail(ENOENT, fmt::format("pg {} has no object '{}' here{}", what.pg.to_string(),
                                     what.name, similar));
}

Task<Result<LogEntry>> last_entry(ObjectStore& store, PgId pg) {
  std::optional<Bytes> last;
  for (std::string from = pg_keys::kLogBegin;;) {
    CO_TRY(page, co_await store.meta_scan(pg, from, pg_keys::kLogEnd, kPage));
    if (page.empty()) break;
    from = page.back().first + '\0';
    last = std::move(page.back().second);
  }
  if (!last) co_return fail(EIO, "pg " + pg.to_string() + " has objects and no log");
  co_return wire::from_bytes<LogEntry>(*last, "log entry");
}

}  // namespace

Eversion offline_version(Eversion head, Epoch newest_map, OsdId osd) {
  constexpr int kShift = 24;  // more than writes under way, and than OSDs
  return {((head.version >> kShift) + 2) << kShift | static_cast<uint64_t>(osd),
          std::max(head.epoch, newest_map)};
}

Task<Result<LogEntry>> remove_offline(ObjectStore& store, OfflineRemoval what) {
  CO_TRY(collections, co_await store.list_collections());
  if (std::find(collections.begin(), collections.end(), what.pg) == collections.end())
    co_return fail(ENOENT, fmt::format("osd.{} has no pg {}", what.osd, what.pg.to_string()));
  CO_TRY(object, co_await find_object(store, what));
  CO_TRY(head, co_await last_entry(store, what.pg));
  CO_TRY(stat, co_await store.stat(what.pg, object));

  LogEntry entry;
  entry.kind = LogEntry::kDelete;
  entry.version = offline_version(head.version, what.newest_map, what.osd);
  entry.object = object;
  entry.user_version = entry.version.version;
  entry.mtime = what.now;
  entry.totals = head.totals;
  // One without it does not exist for anybody, and is in no total.
  auto raw = co_await store.get_attr(what.pg, object, kInfoAttr);
  if (raw) {
    CO_TRY(info, wire::from_bytes<ObjectInfo>(*raw, "object info"));
    entry.prior_version = info.version;
    entry.totals.objects--;
    entry.totals.bytes -= static_cast<int64_t>(stat.size);
    entry.totals.omap_objects -= info.flags & ObjectInfo::kHasOmap ? 1 : 0;
  } else if (raw.error().code() != ENODATA) {
    co_return raw.error();
  }

  Transaction txn;
  txn.remove(what.pg, object);
  std::map<std::string, Bytes> added, gone;
  added[pg_keys::log_entry(entry.version)] = wire::to_bytes(entry);
  gone[pg_keys::missing(object)];
  txn.meta_set(what.pg, std::move(added));
  txn.meta_remove(what.pg, std::move(gone));
  CO_TRY_VOID(co_await store.commit(std::move(txn)));
  co_return entry;
}

}  // namespace plimsoll::osd
