// SPDX-License-Identifier: LGPL-2.1-or-later
// generate() for the parts of messages that have a codec of their own. Payloads of operations are
// in the data segment and no field of the front, so they are filled in here.
#pragma once

#include "common/msg/all_messages.h"
#include "common/wire/generate.h"

namespace plimsoll::msg {

inline void generate(RequestOps& v, wire::Generator& g) {
  v.ops.resize(g.length());
  for (OsdOp& op : v.ops) {
    wire::generate(op.code, g);
    wire::generate(op.flags, g);
    wire::generate(op.args, g);
    wire::generate(op.indata, g);
  }
}
inline void generate(ReplyOps& v, wire::Generator& g) {
  v.ops.resize(g.length());
  for (OsdOp& op : v.ops) {
    wire::generate(op.code, g);
    wire::generate(op.args, g);
    wire::generate(op.outdata, g);
  }
}
inline void generate(ReplyResults& v, wire::Generator& g) {
  for (OsdOp& op : v.ops) wire::generate(op.rval, g);
}

}  // namespace plimsoll::msg
