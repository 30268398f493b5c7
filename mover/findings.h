// SPDX-License-Identifier: LGPL-2.1-or-later
// What the checker found, for people and for scripts.
#pragma once

#include <boost/json/object.hpp>

#include "mover/check/report.h"

namespace plimsoll::mover {

/// A line each, "REFUSE entry-changed PG 1.2f: ...", and the verdict.
std::string print_findings(const Report& report);
/// {"refusals":[{"fault","pg","osd","text"}...],"warnings":[...],"more_refusals","more_warnings"}
boost::json::object dump_findings(const Report& report);

}  // namespace plimsoll::mover
