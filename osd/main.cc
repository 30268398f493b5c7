// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-osd: the OSD daemon.
#include "common/daemon/daemon.h"
#include "osd/osd.h"

int main(int argc, char** argv) {
  using plimsoll::osd::Osd;
  return plimsoll::daemon::run<Osd>(
      argc, argv,
      {.type = "osd", .name = "plimsoll-osd", .flags = Osd::flags(), .shards = &Osd::shards});
}
