// SPDX-License-Identifier: LGPL-2.1-or-later
// From documents to a Dump: what `ceph ... -f json` prints, one by one in any order, or one file of
// our own that holds them all (doc/formats/mover_dump.md). An error names document, key path and
// byte. What fits not together is found by finish(): an OSD that a PG is on and the map has not.
#pragma once

#include "mover/model/dump.h"
#include "mover/model/json_reader.h"

namespace plimsoll::mover {

class DumpReader {
 public:
  // ---- documents; `name` is for errors
  Result<> osd_dump(ByteSource& source, std::string name = "osd_dump");
  Result<> crush_dump(ByteSource& source, std::string name = "crush_dump");
  /// `pg dump`, `pg dump pgs`, `pg dump osds`, `pg dump pgs_brief`, `pg ls...`.
  Result<> pg_dump(ByteSource& source, std::string name = "pg_dump");
  Result<> osd_df(ByteSource& source, std::string name = "osd_df");
  /// `osd metadata`: allocation units.
  Result<> osd_metadata(ByteSource& source, std::string name = "osd_metadata");
  /// `version`
  Result<> version(ByteSource& source, std::string name = "version");
  Result<> balancer_status(ByteSource& source, std::string name = "balancer_status");
  /// What `gather` wrote: all of the above.
  Result<> file(ByteSource& source, std::string name);

  void warn(std::string text) { dump_.warnings.push_back(std::move(text)); }
  const map::OSDMap& map() const { return dump_.map; }
  /// The value of config-key mover/cordon: OSD names, by commas or white space.
  Result<> cordon(std::string_view text);

  /// EINVAL where documents are missing or contradict each other.
  Result<Dump> finish();

 private:
  void read_file(JsonReader& in);
  void read_pg_dump(JsonReader& in);
  void read_pg(JsonReader& in);
  void read_osd_stat(JsonReader& in);
  void read_osd_df(JsonReader& in);
  void read_balancer(JsonReader& in);
  OsdReport* report_of(JsonReader& in, OsdId osd);
  /// Remembers the first PG that names each OSD.
  void note_member(JsonReader& in, OsdId osd, PgId pg);
  Result<> check_members() const;
  void sort_pgs();

  Dump dump_;
  bool has_map_ = false, has_crush_ = false, has_pgs_ = false;
  std::vector<PgId> named_by_;  ///< by OSD
};

}  // namespace plimsoll::mover
