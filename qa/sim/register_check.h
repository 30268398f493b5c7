// SPDX-License-Identifier: LGPL-2.1-or-later
// Linearizability of one object: is there an order of its operations that agrees with real time and
// explains every answer? The state is the list of pieces that the object consists of: a write
// replaces it, an append adds one piece, a delete says whether there was something. A search over
// such orders with memory of the states seen (Wing and Gong; Lowe); fine for a handful of
// concurrent operations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/rt/task.h"

namespace plimsoll::sim {

/// The pieces' ids; nullopt: the object does not exist.
using Pieces = std::optional<std::u32string>;

struct RegisterOp {
  enum class Kind { kWrite, kAppend, kDelete, kRead };
  Kind kind = Kind::kRead;
  char32_t piece = 0;     ///< of a write or an append
  bool existed = false;   ///< a delete's answer
  Pieces seen;            ///< a read's answer
  Duration invoked{0};
  Duration returned = Duration::max();  ///< max: no answer came; it may have happened or not

  std::string to_string() const;
};

/// What cannot be explained, for people; nullopt where all can.
std::optional<std::string> check_register(std::vector<RegisterOp> ops);

}  // namespace plimsoll::sim
