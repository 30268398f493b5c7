// SPDX-License-Identifier: LGPL-2.1-or-later
// TextTable: columns of text as Ceph aligns them: each as wide as its widest cell, two spaces
// between columns, every cell padded.
#pragma once

#include <string>
#include <vector>

namespace plimsoll {

enum class Align : unsigned char { kLeft, kRight };

class TextTable {
 public:
  void column(std::string heading, Align heading_align, Align cell_align) {
    columns_.push_back({std::move(heading), heading_align, cell_align});
  }
  /// One row; shorter rows are padded with empty cells.
  void row(std::vector<std::string> cells);
  void set_indent(size_t indent) { indent_ = indent; }
  void set_separation(std::string separation) { separation_ = std::move(separation); }
  bool empty() const { return rows_.empty(); }
  std::string to_string() const;

 private:
  struct Column {
    std::string heading;
    Align heading_align;
    Align cell_align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
  size_t indent_ = 0;
  std::string separation_ = "  ";
};

}  // namespace plimsoll
