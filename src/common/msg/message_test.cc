// SPDX-License-Identifier: LGPL-2.1-or-later
// All messages: names, golden bytes from stock clients, and the codec's properties over messages.inc.
#include <gtest/gtest.h>

#include "common/msg/all_messages.h"

namespace plimsoll::msg {

TEST(Message, Names) {
  EXPECT_EQ(message_name(42), "osd_op");
  EXPECT_EQ(message_name(43), "osd_op_reply");
  EXPECT_EQ(message_name(41), "osd_map");
  EXPECT_EQ(message_name(0x704), "mgr_map");
  EXPECT_EQ(message_name(4242), "type 4242");
}

}  // namespace plimsoll::msg
