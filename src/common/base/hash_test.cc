// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/base/hash.h"

#include <gtest/gtest.h>

#include "common/base/crc32c.h"
#include "common/base/rng.h"

namespace plimsoll {

// Values seen from stock clients.
TEST(Hash, ObjectNames) {
  EXPECT_EQ(rjenkins_str("foo"), 0x7fc1f406u);
  EXPECT_EQ(rjenkins_str("o1"), 0xcf0d001eu);
  EXPECT_EQ(rjenkins_str("benchmark_data_vm_2582_object651"), 0x2380c1a7u);
}

TEST(Crc32c, RunsWithoutFinalInversion) {
  EXPECT_EQ(crc32c(0xffffffff, ""), 0xffffffffu);
  // The standard check value of CRC-32C("123456789") is e3069283 after inversion.
  EXPECT_EQ(~crc32c(0xffffffff, "123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(crc32c(0, "1234"), "56789"), crc32c(0, "123456789"));
}

TEST(Rng, SameSeedSameStream) {
  Rng a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
  for (int i = 0; i < 1000; i++) EXPECT_LT(a.below(10), 10u);
}

}  // namespace plimsoll
