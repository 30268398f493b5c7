// SPDX-License-Identifier: LGPL-2.1-or-later
// Aligned columns as Ceph's plain outputs have them: two spaces between, headings and cells with an
// alignment each, every cell padded to its column's width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plimsoll::map {

class TextTable {
 public:
  enum class Align { kLeft, kRight, kCenter };

  void column(std::string heading, Align heading_align, Align align);
  /// One more row; missing cells are empty.
  void row(std::vector<std::string> cells);
  /// Rows, each ended by a newline.
  std::string text() const;

 private:
  struct Column {
    std::string heading;
    Align heading_align;
    Align align;
    size_t width;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "872 MiB", "3.7 GiB", "0 B": Ceph's byte sizes with at most three digits.
std::string byte_size_text(uint64_t bytes);
/// "872", "3.7k", "12M": counts in steps of 1000.
std::string count_text(uint64_t n);
/// %.<precision>f with trailing zeros cut to what Ceph's default stream prints ("0.95", "1").
std::string float_text(double v, int significant = 6);

}  // namespace plimsoll::map
