// SPDX-License-Identifier: LGPL-2.1-or-later
// Compares our JSON with what a real cluster printed: same keys in the same order, same values.
// 1 and 1.0 are equal. For tests.
#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace plimsoll::map {

/// "" when equal, else the path of the first difference and both values.
std::string json_difference(const boost::json::value& ours, const boost::json::value& theirs,
                            const std::string& path = "");

}  // namespace plimsoll::map
