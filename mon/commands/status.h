// SPDX-License-Identifier: LGPL-2.1-or-later
// `ceph status` in both forms.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "mon/services.h"

namespace plimsoll::mon {

boost::json::object dump_status(const Services& s);
std::string print_status(const Services& s);

}  // namespace plimsoll::mon
