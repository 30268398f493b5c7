// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/text_table.h"

#include <algorithm>

#include "common/base/assert.h"

namespace plimsoll {

namespace {

void append_cell(std::string& out, const std::string& cell, size_t width, Align align) {
  const std::string padding(width - std::min(width, cell.size()), ' ');
  out += align == Align::kRight ? padding + cell : cell + padding;
}

}  // namespace

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
  auto line = [&](auto cell, auto align) {
    out.append(indent_, ' ');
    for (size_t c = 0; c < columns_.size(); c++) {
      if (c) out += separation_;
      append_cell(out, cell(c), widths[c], align(c));
    }
    out += '\n';
  };
  line([&](size_t c) { return columns_[c].heading; },
       [&](size_t c) { return columns_[c].heading_align; });
  for (const auto& r : rows_)
    line([&](size_t c) { return r[c]; }, [&](size_t c) { return columns_[c].cell_align; });
  return out;
}

}  // namespace plimsoll
