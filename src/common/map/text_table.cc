// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/map/text_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::map {

void TextTable::row(std::vector<std::string> cells) {
  CHECK(cells.size() <= columns_.size());
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string TextTable::to_string() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); c++) {
    size_t width = columns_[c].heading.size();
    for (const auto& r : rows_) width = std::max(width, r[c].size());
    widths.push_back(width);
  }
  std::string out;
  auto cell = [&](size_t c, const std::string& text, Align align) {
    const std::string padding(widths[c] - text.size(), ' ');
    if (c) out += "  ";
    out += align == Align::kRight ? padding + text : text + padding;
    if (c + 1 == columns_.size()) out += '\n';
  };
  for (size_t c = 0; c < columns_.size(); c++)
    cell(c, columns_[c].heading, columns_[c].heading_align);
  for (const auto& r : rows_)
    for (size_t c = 0; c < columns_.size(); c++) cell(c, r[c], columns_[c].cell_align);
  return out;
}

std::string byte_size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  uint64_t whole = bytes;
  for (; whole >= 1024; whole /= 1024) unit++;
  const uint64_t scale = uint64_t{1} << (10 * unit);
  if (bytes % scale == 0) return fmt::format("{} {}", whole, kUnits[unit]);
  std::string out;
  for (int decimals = 2; decimals >= 0; decimals--) {
    const double value = static_cast<double>(bytes) / static_cast<double>(scale);
    out = fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
    if (out.size() <= 7) break;
  }
  return out;
}

std::string stamp_text(Utime t) {
  constexpr uint32_t kTenYears = 60 * 60 * 24 * 365 * 10;
  if (t.sec < kTenYears) return fmt::format("{}.{:06}", t.sec, t.nsec / 1000);
  return t.to_string();
}

std::string osd_set_text(const std::vector<int32_t>& osds) {
  return fmt::format("[{}]", fmt::join(osds, ","));
}

}  // namespace plimsoll::map
