// SPDX-License-Identifier: LGPL-2.1-or-later
// Changes of pools, with the checks that Ceph makes and its words: creation with defaults from the
// options, deletion, and every `osd pool set` variable. Each works on a draft of the OSD map.
#pragma once

#include <optional>
#include <string>

#include "common/config/config.h"
#include "mon/osd_service.h"

namespace plimsoll::mon {

struct PoolCreate {
  std::string name;
  std::optional<int64_t> pg_num, pgp_num;
  std::string type;  ///< "replicated", "erasure"; empty: the default
  std::string rule;
  std::optional<int64_t> size, pg_num_min, pg_num_max, expected_num_objects, target_size_bytes;
  std::optional<double> target_size_ratio;
  std::string autoscale_mode;
  bool bulk = false;
};
/// The caller has checked that no pool has the name. Returns the new id.
Result<PoolId> create_pool(const config::Config& config, Utime now, const PoolCreate& request,
                           OsdDraft& d);
/// EPERM: deletion is not allowed, or the pool has the nodelete flag.
Result<> may_delete_pool(const config::Config& config, const map::OSDMap& map, PoolId id);

/// `osd pool set <pool> <var> <value>`; on success the text that the command prints.
Result<std::string> set_pool_variable(const config::Config& config, OsdDraft& d, PoolId id,
                                      const std::string& var, const std::string& value, bool sure);
/// Whether the PGs that a pool would have are too many for the OSDs.
Result<> check_pg_count(const config::Config& config, const map::OSDMap& map, PoolId changed,
                        uint32_t pg_num, uint32_t size);

}  // namespace plimsoll::mon
