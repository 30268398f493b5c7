// SPDX-License-Identifier: LGPL-2.1-or-later
// Every message struct, for whoever expands messages.inc: tests, fuzz targets, dump tools. Daemons
// include the headers of the peers they talk to.
#pragma once

#include "common/msg/mon_messages.h"
#include "common/msg/mon_peer_messages.h"
#include "common/msg/osd_messages.h"
#include "common/msg/osd_peer_messages.h"
