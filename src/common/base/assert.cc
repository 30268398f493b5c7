// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace plimsoll {

void check_failed(const char* expr, const char* file, int line, const char* note) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed%s%s\n", file, line, expr, *note ? ": " : "", note);
  std::fflush(stderr);
  std::abort();
}

}  // namespace plimsoll
