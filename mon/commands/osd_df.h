// SPDX-License-Identifier: LGPL-2.1-or-later
// The outputs of `osd df` and `osd df tree`. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "common/map/pg_stats.h"

namespace plimsoll::mon {

struct OsdDfOptions {
  bool tree = false;
  std::string only_class;  ///< empty: all
  std::optional<map::CrushItem> only_below;
};

boost::json::object dump_osd_df(const map::OSDMap& map, const map::PgMap& pgs,
                                const OsdDfOptions& options);
std::string print_osd_df(const map::OSDMap& map, const map::PgMap& pgs,
                         const OsdDfOptions& options);

}  // namespace plimsoll::mon
