// SPDX-License-Identifier: LGPL-2.1-or-later
// Journal: a ring of records in a file, each durable by one write when append() returns, so that a
// commit costs that write and nothing else. What a record says is the store's business. Two blocks
// at the front hold the state in turn: where the oldest record begins that is still needed, and how
// often the journal was opened. A record counts only at its place in the sequence and with the
// number of this opening, so what earlier laps, openings or stores left in the ring is never read
// as one. Space is used again only when a durable state says that its records are not needed.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "common/rt/block_file.h"
#include "common/wire/types.h"
#include "osd/store/format.h"

namespace plimsoll::osd {

class Journal {
 public:
  /// What append() fills in at the front of its buffer.
  static constexpr size_t kHead = 48;
  /// The buffer for a payload: whole blocks.
  static constexpr size_t buffer_size(size_t payload) {
    return round_up(kHead + payload, size_t{kBlock});
  }
  static constexpr uint64_t kRing = 2 * kBlock;  ///< where it begins in the file
  static constexpr uint64_t kMinSize = 64_KiB;

  /// An empty journal in a file of any content.
  static Task<Result<>> make(BlockFile& file, Uuid instance);

  explicit Journal(std::unique_ptr<BlockFile> file);
  /// Finds the state. EINVAL for damage and for the journal of another store.
  Task<Result<>> open(Uuid instance);

  /// After open(), the payloads of all records in turn; nullopt at the end.
  Task<Result<std::optional<Bytes>>> next();
  /// After the last: no record is needed any more, and append() may begin.
  Task<Result<>> restart();

  /// Whether the ring ever has room for such a payload, and whether it has now.
  bool can_hold(size_t payload) const { return buffer_size(payload) <= ring_ / 4; }
  bool fits(size_t payload) const;
  /// Writes a record: the payload lies in an aligned buffer behind kHead bytes. One at a time.
  Task<Result<>> append(Buffer record, size_t payload);
  /// The last record that was appended.
  uint64_t last() const { return next_sequence_ - 1; }
  /// Records up to this one are not needed any more.
  Task<Result<>> trim(uint64_t sequence);
  uint64_t used() const { return head_ - freed_; }
  uint64_t size() const { return ring_; }

  bool fault_not_durable = false;  ///< for tests that must notice it

 private:
  struct State {
    static constexpr wire::Envelope kEnvelope{1, 1};
    Uuid instance;
    uint64_t generation = 0;  ///< of the two copies the higher one counts
    uint64_t openings = 0;
    uint64_t ring = 0;         ///< its bytes
    uint64_t sequence = 1;     ///< of the oldest record, or of the next where there is none
    uint64_t position = 0;     ///< of the same; counts on over the laps
    template <class F> void fields(F& f) {
      f("instance", instance);
      f("generation", generation);
      f("openings", openings);
      f("ring", ring);
      f("sequence", sequence);
      f("position", position);
    }
  };
  struct Live {
    uint64_t sequence;
    uint64_t position;
  };

  static Task<Result<>> write_state(BlockFile& file, State state);
  uint64_t offset(uint64_t position) const { return kRing + position % ring_; }
  /// Where a record of `size` bytes goes: it never lies across the end of the ring.
  uint64_t place(uint64_t size) const;
  /// The payload of the record with the next sequence, if it is there.
  Task<Result<std::optional<Bytes>>> read_at(uint64_t position);

  std::unique_ptr<BlockFile> file_;
  State state_;             ///< as it is on the disk
  uint64_t ring_;
  uint64_t next_sequence_ = 1;
  uint64_t head_ = 0;       ///< position behind the last record
  uint64_t freed_ = 0;      ///< position before which space may be used again
  std::deque<Live> live_;
};

}  // namespace plimsoll::osd
