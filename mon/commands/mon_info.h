// SPDX-License-Identifier: LGPL-2.1-or-later
// What monitors say of themselves and of their quorum, shared by commands, tell and admin socket.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "mon/services.h"
#include "mon/sessions.h"

namespace plimsoll::mon {

/// What every peer of the protocol advertises (wire.md 2.5).
inline constexpr uint64_t kFeatures = 0x3f01cfbdfffdffff;
/// A monitor alone is its own leader, elected once. Odd: an election is over.
inline constexpr int64_t kElectionEpoch = 1;

/// "plimsoll version ..." as `versions` counts it.
std::string version_line();
/// Seconds since this monitor leads.
int64_t quorum_age(const Services& s);
/// Peers by type, all with the one set of features.
boost::json::object dump_features(const Sessions& sessions);
/// `mon_status`
boost::json::object dump_mon_status(const Services& s, const Sessions& sessions);
/// `quorum_status`
boost::json::object dump_quorum_status(const Services& s);
boost::json::object dump_mon_metadata(const Services& s);

}  // namespace plimsoll::mon
