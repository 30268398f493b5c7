// SPDX-License-Identifier: LGPL-2.1-or-later
// CHECK and DCHECK: invariants of our own code. CHECK stays on in release builds, because going on
// with corrupt state would spread it to disk; DCHECK is for hot paths. Never for input from
// outside.
#pragma once

namespace plimsoll {

[[noreturn]] void check_failed(const char* expr, const char* file, int line, const char* note);

}  // namespace plimsoll

#define CHECK(expr) \
  (static_cast<bool>(expr) ? void(0) : ::plimsoll::check_failed(#expr, __FILE__, __LINE__, ""))
#define CHECK_NOTE(expr, note) \
  (static_cast<bool>(expr) ? void(0) : ::plimsoll::check_failed(#expr, __FILE__, __LINE__, note))
#ifdef NDEBUG
#define DCHECK(expr) static_cast<void>(0)
#else
#define DCHECK(expr) CHECK(expr)
#endif
