// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/store/summary.h"

#include <fmt/format.h>

#include "common/base/crc32c.h"
#include "osd/store/format.h"

namespace plimsoll::osd {

namespace json = boost::json;

namespace {

constexpr size_t kShown = 64;

std::string hex(std::string_view data) {
  std::string out;
  for (const char c : data) out += fmt::format("{:02x}", static_cast<uint8_t>(c));
  return out;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c < 0x7f && c != '\\') out += c;
    else out += fmt::format("\\x{:02x}", static_cast<uint8_t>(c));
  }
  return out;
}

json::object value_summary(std::string_view value) {
  json::object out;
  out["length"] = value.size();
  out["crc"] = crc32c(0xffffffff, value);
  if (value.size() <= kShown) out["hex"] = hex(value);
  return out;
}

json::object object_name(const HObject& object) {
  json::object out;
  out["name"] = printable(object.oid);
  out["namespace"] = printable(object.nspace);
  out["key"] = printable(object.key);
  out["snap"] = object.snap == kSnapHead ? json::value("head") : json::value(object.snap);
  out["hash"] = fmt::format("{:08x}", object.hash);
  return out;
}

void PairsDigest::add(std::string_view key, std::string_view value) {
  ByteWriter w;
  w.blob(key);
  w.blob(value);
  crc_ = crc32c(crc_, w.view());
  count_++;
}

void DataDigest::zeros(uint64_t until) {
  static const Bytes block = Bytes::zeros(kBlock);
  for (; at_ < until; at_ += std::min<uint64_t>(kBlock, until - at_))
    crc_ = crc32c(crc_, block.view().substr(0, std::min<uint64_t>(kBlock, until - at_)));
}

void DataDigest::add(uint64_t offset, std::string_view data) {
  zeros(offset);
  crc_ = crc32c(crc_, data);
  at_ += data.size();
}

}  // namespace plimsoll::osd
