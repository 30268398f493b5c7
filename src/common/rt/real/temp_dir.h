// SPDX-License-Identifier: LGPL-2.1-or-later
// For tests: a directory that goes with the object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "common/base/assert.h"

namespace plimsoll::real {

struct TempDir {
  TempDir() : path("/tmp/plimsoll_test_XXXXXX") { CHECK(::mkdtemp(path.data()) != nullptr); }
  TempDir(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

}  // namespace plimsoll::real
