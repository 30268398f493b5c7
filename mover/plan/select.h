// SPDX-License-Identifier: LGPL-2.1-or-later
// Which shard leaves a device of which `need` bytes must go. Lists ascend by size.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "mover/plan/book.h"

namespace plimsoll::mover {

/// The index of the first that has at least so many bytes.
size_t first_of_size(std::span<const Shard> shards, uint64_t bytes);

struct Choice {
  size_t index = 0;
  Why why = Why::kBestFit;
};

/// Best fit: the smallest shard that covers the need; where two together come clearly closer to it,
/// the larger of those two; where neither one nor two cover it, the largest. None: the list is
/// empty, or holds nothing with bytes.
std::optional<Choice> select_shard(std::span<const Shard> shards, uint64_t need,
                                   Selection selection);

/// What fills a target: the smallest that covers the need and is at most `room`, else the largest
/// below both.
std::optional<size_t> select_filler(std::span<const Shard> shards, uint64_t need, uint64_t room);

}  // namespace plimsoll::mover
