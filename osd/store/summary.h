// SPDX-License-Identifier: LGPL-2.1-or-later
// How tools show what a store holds: digests that are equal for equal content, wherever it lies and
// in whatever pieces it came.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "common/base/bytes.h"
#include "common/wire/types.h"

namespace plimsoll::osd {

/// Names may hold any byte; JSON texts may not.
std::string printable(std::string_view text);
/// {"length", "crc", and "hex" of short ones}.
boost::json::object value_summary(std::string_view value);
/// Name, namespace, key, snap and hash.
boost::json::object object_name(const HObject& object);

/// Of pairs in their order.
class PairsDigest {
 public:
  void add(std::string_view key, std::string_view value);
  uint32_t crc() const { return crc_; }
  uint64_t count() const { return count_; }

 private:
  uint32_t crc_ = 0xffffffff;
  uint64_t count_ = 0;
};

/// Of an object's bytes; holes count as zeros.
class DataDigest {
 public:
  /// Ascending. What is cut from `data` lies behind the object's size.
  void add(uint64_t offset, std::string_view data);
  void end(uint64_t size) { zeros(size); }
  uint32_t crc() const { return crc_; }

 private:
  void zeros(uint64_t until);
  uint32_t crc_ = 0xffffffff;
  uint64_t at_ = 0;
};

}  // namespace plimsoll::osd
