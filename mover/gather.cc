// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mover/gather.h"

#include <fmt/format.h>

#include "common/daemon/tool_files.h"
#include "mover/model/dump_reader.h"
#include "mover/model/osd_map_json.h"

namespace plimsoll::mover {

namespace {

constexpr int kTries = 4;

std::string json_command(std::string_view prefix, std::string_view arguments = "") {
  return fmt::format(R"({{"prefix":"{}","format":"json"{}}})", prefix, arguments);
}

/// What may be missing, by release or by who asks, costs a warning and no more.
template <class Read>
void optional(DumpReader& reader, Result<Cluster::Reply> reply, Read&& read) {
  if (!reply) return reader.warn(reply.error().text());
  if (auto done = read(**reply); !done) reader.warn(done.error().text());
}

Result<> gather_pgs(Cluster& cluster, DumpReader& reader) {
  // Pool by pool: the dump of all at once is gigabytes in one buffer where there are many PGs.
  for (const auto& [id, pool] : reader.map().pools) {
    TRY(reply, cluster.mgr(json_command("pg ls", fmt::format(R"(,"pool":{})", id))));
    TRY_VOID(reader.pg_dump(*reply, fmt::format("pg ls {}", id)));
  }
  TRY(osds, cluster.mgr(json_command("pg dump", R"(,"dumpcontents":["osds"])")));
  return reader.pg_dump(*osds, "pg dump osds");
}

Result<> gather_cordon(Cluster& cluster, DumpReader& reader) {
  auto reply = cluster.mon(R"({"prefix":"config-key get","key":"mover/cordon"})");
  if (!reply) {
    if (reply.error().code() != ENOENT) reader.warn(reply.error().text());
    return {};
  }
  std::string text(4096, '\0');
  TRY(n, (*reply)->read(std::span(reinterpret_cast<uint8_t*>(text.data()), text.size())));
  return reader.cordon(std::string_view(text).substr(0, n));
}

Result<std::pair<Epoch, uint32_t>> versions(Cluster& cluster) {
  TRY(reply, cluster.mon(json_command("osd dump")));
  map::OSDMap map;
  JsonReader in(*reply, "osd dump");
  read_osd_map(in, map);
  TRY_VOID(in.finish());
  return std::pair(map.epoch, map.crush_version);
}

Result<DumpReader> gather_once(Cluster& cluster) {
  DumpReader reader;
  TRY(map, cluster.mon(json_command("osd dump")));
  TRY_VOID(reader.osd_dump(*map, "osd dump"));
  TRY(crush, cluster.mon(json_command("osd crush dump")));
  TRY_VOID(reader.crush_dump(*crush, "osd crush dump"));
  TRY_VOID(gather_pgs(cluster, reader));
  optional(reader, cluster.mon(json_command("version")),
           [&](ByteSource& in) { return reader.version(in); });
  optional(reader, cluster.mon(json_command("osd metadata")),
           [&](ByteSource& in) { return reader.osd_metadata(in); });
  optional(reader, cluster.mgr(json_command("balancer status")),
           [&](ByteSource& in) { return reader.balancer_status(in); });
  TRY_VOID(gather_cordon(cluster, reader));
  return reader;
}

using Source = std::unique_ptr<ByteSource>;

Result<Dump> load_file(const std::string& path) {
  TRY(source, daemon::open_input(path));
  DumpReader reader;
  TRY_VOID(reader.file(*source, path));
  return reader.finish();
}

Result<Dump> load_directory(const std::string& path, Source osd_dump) {
  DumpReader reader;
  TRY_VOID(reader.osd_dump(*osd_dump, path + "/osd_dump.json"));
  using Read = Result<> (DumpReader::*)(ByteSource&, std::string);
  const struct {
    const char* name;
    Read read;
    bool needed;
  } documents[] = {{"crush_dump.json", &DumpReader::crush_dump, true},
                   {"pg_dump.json", &DumpReader::pg_dump, true},
                   {"osd_df.json", &DumpReader::osd_df, false},
                   {"osd_metadata.json", &DumpReader::osd_metadata, false},
                   {"balancer_status.json", &DumpReader::balancer_status, false},
                   {"version.json", &DumpReader::version, false}};
  for (const auto& document : documents) {
    const std::string file = path + "/" + document.name;
    auto source = daemon::open_input(file);
    if (!source && source.error().code() == ENOENT && !document.needed) continue;
    if (!source) return source.error();
    TRY_VOID((reader.*document.read)(**source, file));
  }
  return reader.finish();
}

}  // namespace

Result<Dump> gather(Cluster& cluster) {
  for (int left = kTries;; left--) {
    TRY(reader, gather_once(cluster));
    TRY(now, versions(cluster));
    const auto& map = reader.map();
    if (now.first == map.epoch) return reader.finish();
    if (left > 1) continue;
    if (now.second != map.crush_version)
      return fail(EAGAIN, "the CRUSH map changes all the time: try again when it is at rest");
    reader.warn(fmt::format("the map went from epoch {} to {} meanwhile", map.epoch, now.first));
    return reader.finish();
  }
}

Result<Dump> load_dump(const std::string& path) {
  if (path == "-") return load_file(path);
  auto osd_dump = daemon::open_input(path + "/osd_dump.json");
  if (osd_dump) return load_directory(path, std::move(*osd_dump));
  if (osd_dump.error().code() == ENOTDIR || osd_dump.error().code() == ENOENT) {
    auto dump = load_file(path);
    if (!dump && dump.error().code() == EISDIR) return osd_dump.error();
    return dump;
  }
  return osd_dump.error();
}

}  // namespace plimsoll::mover
