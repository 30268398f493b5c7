// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/error.h"

#include <cstring>

namespace plimsoll {

std::string errno_name(int code) {
  const char* name = strerrorname_np(code);
  return name ? name : "E" + std::to_string(code);
}

std::string Error::name() const { return errno_name(code_); }

std::string Error::to_string() const {
  return name() + ": " + (text_.empty() ? std::string(std::strerror(code_)) : text_);
}

}  // namespace plimsoll
