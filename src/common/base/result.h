// SPDX-License-Identifier: LGPL-2.1-or-later
// Result<T>: a value or an Error. TRY and TRY_VOID return the error to the caller (CO_* in
// coroutines). The awaited or called expression of a macro must not contain braces (house rule).
#pragma once

#include <boost/system/result.hpp>

#include "common/base/assert.h"
#include "common/base/error.h"

namespace plimsoll {

[[noreturn]] inline void throw_exception_from_error(const Error& e, const boost::source_location&) {
  check_failed("result holds a value", __FILE__, __LINE__, e.to_string().c_str());
}

template <class T = void>
using Result = boost::system::result<T, Error>;

/// Shorthand for `return fail(EINVAL, "...")`.
inline Error fail(int code, std::string text = {}) { return Error(code, std::move(text)); }

}  // namespace plimsoll

#define PLIMSOLL_CAT2(a, b) a##b
#define PLIMSOLL_CAT(a, b) PLIMSOLL_CAT2(a, b)
#define PLIMSOLL_TRY(var, expr, tmp, ret) \
  auto tmp = (expr);                      \
  if (!tmp) ret std::move(tmp).error();   \
  auto var = std::move(*tmp)
#define PLIMSOLL_TRY_VOID(expr, tmp, ret) \
  do {                                    \
    auto tmp = (expr);                    \
    if (!tmp) ret std::move(tmp).error(); \
  } while (0)

#define TRY(var, expr) PLIMSOLL_TRY(var, expr, PLIMSOLL_CAT(try_, __LINE__), return)
#define TRY_VOID(expr) PLIMSOLL_TRY_VOID(expr, PLIMSOLL_CAT(try_, __LINE__), return)
#define CO_TRY(var, expr) PLIMSOLL_TRY(var, expr, PLIMSOLL_CAT(try_, __LINE__), co_return)
#define CO_TRY_VOID(expr) PLIMSOLL_TRY_VOID(expr, PLIMSOLL_CAT(try_, __LINE__), co_return)
