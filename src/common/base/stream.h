// SPDX-License-Identifier: LGPL-2.1-or-later
// Bytes from front to back: where a tool's output goes and where its input comes from.
#pragma once

#include <span>
#include <string_view>

#include "common/base/result.h"

namespace plimsoll {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Result<> write(std::string_view data) = 0;
  /// Nothing follows. What was written is there for good when it returns, where that can be said.
  virtual Result<> finish() = 0;
};

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `into` from its front and returns how much; less only at the end.
  virtual Result<size_t> read(std::span<uint8_t> into) = 0;
};

}  // namespace plimsoll
