// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/msg/message.h"

#include <cctype>

namespace plimsoll::msg {

namespace {

/// "osd_op_reply" for "MOsdOpReply"; runs of capitals are one word ("MOSDMap": "osd_map").
std::string snake_case(std::string_view type) {
  std::string out;
  for (size_t i = 1; i < type.size(); i++) {
    const bool upper = std::isupper(static_cast<unsigned char>(type[i]));
    const bool after_lower = i > 1 && !std::isupper(static_cast<unsigned char>(type[i - 1]));
    const bool before_lower =
        i + 1 < type.size() && std::islower(static_cast<unsigned char>(type[i + 1]));
    if (upper && i > 1 && (after_lower || before_lower)) out += '_';
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(type[i])));
  }
  return out;
}

}  // namespace

std::string message_name(uint16_t type) {
  switch (type) {
#define MSG(id, Type, from, to, help) \
  case id:                            \
    return snake_case(#Type);
#include "common/msg/messages.inc"
#undef MSG
  }
  return "type " + std::to_string(type);
}

std::vector<MessageRow> message_table() {
  return {
#define MSG(id, Type, from, to, help) MessageRow{id, #Type, from, to, help},
#include "common/msg/messages.inc"
#undef MSG
  };
}

}  // namespace plimsoll::msg
