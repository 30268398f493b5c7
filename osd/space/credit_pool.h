// SPDX-License-Identifier: LGPL-2.1-or-later
// CreditPool: what a shard's primaries have borrowed from the OSDs that hold their PGs (lender.h).
// A write takes its worst case from every member before it gets a version, from all or from none.
// Asking is asynchronous: whoever finds too little waits until it hears of `changed` or of a
// refusal. Pure, but for its hooks.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "common/rt/clock.h"
#include "common/wire/types.h"

namespace plimsoll::osd {

enum class Credit : uint8_t {
  kTaken,
  kAsked,    ///< the lenders were asked; try again when told
  kRefused,  ///< a lender said no, just now
};

class CreditPool {
 public:
  /// Kept also when idle, so that the next small write need not ask.
  static constexpr uint64_t kKeep = 256 << 10;
  /// A refusal stands so long; then lenders are asked again.
  static constexpr Duration kRefusalHolds = std::chrono::milliseconds(50);

  struct Hooks {
    /// Asks a lender, maybe our own OSD; the answer comes by replied(), maybe within the call.
    /// `ahead`: nothing waits for it, so a refusal means nothing.
    std::function<void(OsdId from, bool reserve, bool ahead, uint64_t want)> ask;
    std::function<void(OsdId to, uint64_t bytes)> give_back;
    /// More is there, or was refused. Must not call back at once.
    std::function<void()> changed;
  };
  CreditPool(Clock& clock, Hooks hooks) : clock_(clock), hooks_(std::move(hooks)) {}

  Credit take(const std::vector<OsdId>& members, uint64_t bytes, bool reserve);
  /// What take() would say; asks where there is too little.
  Credit probe(const std::vector<OsdId>& members, uint64_t bytes, bool reserve);
  void replied(OsdId from, bool reserve, uint64_t asked, uint64_t granted);
  /// Gives back what is unspent.
  void recalled(OsdId by);
  /// Asks for a first loan where there is none.
  void prefetch(const std::vector<OsdId>& members);
  /// Gives back most of what has not been touched since the last call. Periodic.
  void trim();
  /// The connection is lost: what is unspent is worth nothing.
  void forget(OsdId osd);
  uint64_t unspent(OsdId osd) const;

 private:
  struct Account {
    uint64_t have = 0;
    uint64_t asked = 0;  ///< 0: no answer is outstanding
    bool ahead = false;  ///< it was asked for so
    uint64_t last_grant = 0;
    uint64_t refused = 0;
    TimePoint refused_at{};
    bool used = false;  ///< since the last trim
  };
  using Key = std::pair<OsdId, bool>;
  void ask(const Key& key, uint64_t bytes, bool ahead);

  Clock& clock_;
  Hooks hooks_;
  std::map<Key, Account> accounts_;
};

}  // namespace plimsoll::osd
