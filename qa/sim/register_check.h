// SPDX-License-Identifier: LGPL-2.1-or-later
// Linearizability of one object: is there an order of its operations that agrees with real time and
// explains every answer? The state is the list of pieces that the object consists of: a write
// replaces it, an append adds one piece, once; a delete and an exclusive create say whether there
// was something, a stat how long it was. What was not answered may happen at any later time, or
// never. Writes and appends of one client that were answered happen in the order in which it asked
// for them, also when it did not wait for the answers. (What can be refused need not: a refusal is
// not remembered for a repetition of the request.) A search over such orders with memory of the
// states seen (Wing and Gong; Lowe); fine for a handful of concurrent operations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/rt/task.h"

namespace plimsoll::sim {

/// The pieces' ids; nullopt: the object does not exist.
using Pieces = std::optional<std::u32string>;

struct RegisterOp {
  enum class Kind { kWrite, kAppend, kDelete, kRead, kCreate, kStat };
  Kind kind = Kind::kRead;
  char32_t piece = 0;     ///< of a write or an append
  bool existed = false;   ///< the answer of a delete, a create or a stat
  Pieces seen;            ///< a read's answer
  uint64_t size = 0;      ///< of the piece; a stat's answer
  uint32_t client = 0;    ///< 0: one whose order does not matter
  Duration invoked{0};
  Duration returned = Duration::max();  ///< max: no answer came; it may have happened or not

  bool answered() const { return returned != Duration::max(); }
  bool changes() const { return kind != Kind::kRead && kind != Kind::kStat; }
  /// It keeps its place among those of its client.
  bool in_order() const { return client && piece && answered(); }
  std::string to_string() const;
};

/// What cannot be explained, for people; nullopt where all can.
std::optional<std::string> check_register(std::vector<RegisterOp> ops);

}  // namespace plimsoll::sim
