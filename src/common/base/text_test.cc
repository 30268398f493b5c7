// SPDX-License-Identifier: LGPL-2.1-or-later
#include <gtest/gtest.h>

#include "common/base/size_text.h"
#include "common/base/text_table.h"

namespace plimsoll {

TEST(SizeText, BytesAndCounts) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(32 << 20), "32 MiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text_up(0), "0 KiB");
  EXPECT_EQ(bytes_text_up(1), "1 KiB");
  EXPECT_EQ(bytes_text_up((1 << 20) - 1), "1024 KiB");
  EXPECT_EQ(bytes_text_up((5 << 20) + 1), "6 MiB");
  EXPECT_EQ(bytes_text_up(uint64_t{3} << 30), "3072 MiB");
  EXPECT_EQ(bytes_text(uint64_t{3996} << 20), "3.9 GiB");
  EXPECT_EQ(bytes_text(305'000'000), "291 MiB");
  EXPECT_EQ(bytes_text(UINT64_MAX), "16 EiB");
  EXPECT_EQ(si_text(999), "999");
  EXPECT_EQ(si_text(1500), "1.50k");
  EXPECT_EQ(si_text(32'000'000), "32M");
}

TEST(TextTable, AlignsAsCephDoes) {
  TextTable t;
  t.column("ID", Align::kLeft, Align::kRight);
  t.column("CLASS", Align::kLeft, Align::kRight);
  t.column("TYPE NAME", Align::kLeft, Align::kLeft);
  t.row({"-1", "", "root default"});
  t.row({"0", "hdd", "    osd.0"});
  t.row({"1"});
  EXPECT_EQ(t.to_string(),
            "ID  CLASS  TYPE NAME   \n"
            "-1         root default\n"
            " 0    hdd      osd.0   \n"
            " 1                     \n");
}

}  // namespace plimsoll
