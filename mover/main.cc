// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-mover: plans which replicas move where, by bytes.
#include "mover/commands.h"

int main(int argc, char** argv) {
  return plimsoll::mover::run(argc, argv);
}
