// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON in Ceph's spelling: doubles with 17 significant digits and no exponent for common sizes
// (0.94999998807907104, 1), four spaces of indent when pretty. boost::json::serialize writes 1E0.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace plimsoll::map {

/// One line, no spaces (`-f json`).
std::string json_compact(const boost::json::value& v);
/// Indented (`-f json-pretty`).
std::string json_pretty(const boost::json::value& v);

}  // namespace plimsoll::map
