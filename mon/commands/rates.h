// SPDX-License-Identifier: LGPL-2.1-or-later
// How recovery and traffic read in `status`, `osd pool stats` and `pg stat`. Pure.
#pragma once

#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "common/map/pg_stats.h"

namespace plimsoll::mon {

/// "25 KiB/s wr, 0 op/s rd, 1 op/s wr"; empty without traffic.
std::string client_rate_text(const map::ObjectStats& per_second);
boost::json::object dump_client_rate(const map::ObjectStats& per_second);
/// "4 MiB/s, 1 objects/s"; empty without recovery.
std::string recovery_rate_text(const map::ObjectStats& per_second);
boost::json::object dump_recovery_rate(const map::ObjectStats& per_second);
/// "12/36 objects degraded (33.333%)" and its kin.
std::vector<std::string> recovery_lines(const map::ObjectStats& sum);
boost::json::object dump_recovery_state(const map::ObjectStats& sum);

}  // namespace plimsoll::mon
