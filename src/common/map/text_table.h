// SPDX-License-Identifier: LGPL-2.1-or-later
// Texts as Ceph's plain outputs have them: aligned columns (two spaces between, every cell padded),
// byte sizes, times.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/wire/types.h"

namespace plimsoll::map {

enum class Align : unsigned char { kLeft, kRight };

class TextTable {
 public:
  void column(std::string heading, Align heading_align, Align cell_align) {
    columns_.push_back({std::move(heading), heading_align, cell_align});
  }
  /// One row; shorter rows are padded with empty cells.
  void row(std::vector<std::string> cells);
  /// Headings and rows, each ended by a newline.
  std::string to_string() const;

 private:
  struct Column {
    std::string heading;
    Align heading_align;
    Align cell_align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "872 MiB", "3.7 GiB", "0 B": at most seven characters.
std::string byte_size_text(uint64_t bytes);
/// A point in time, or "0.000000" for what never happened: Ceph prints small times as seconds.
std::string stamp_text(Utime t);
/// "[1,2,0]"
std::string osd_set_text(const std::vector<int32_t>& osds);

}  // namespace plimsoll::map
