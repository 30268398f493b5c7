// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/space/credit_pool.h"

#include <algorithm>

namespace plimsoll::osd {

void CreditPool::ask(const Key& key, uint64_t bytes, bool ahead) {
  Account& a = accounts_[key];
  if (a.asked) return;
  a.asked = bytes;
  a.ahead = ahead;
  hooks_.ask(key.first, key.second, ahead, bytes);
}

Credit CreditPool::probe(const std::vector<OsdId>& members, uint64_t bytes, bool reserve) {
  bool asked = false;
  for (OsdId osd : members) {
    const Key key{osd, reserve};
    Account& a = accounts_[key];
    if (a.have >= bytes) continue;
    const bool just_refused =
        a.refused && bytes >= a.refused && clock_.now() - a.refused_at < kRefusalHolds;
    if (!a.asked && just_refused) return Credit::kRefused;
    ask(key, bytes, false);
    if (a.have >= bytes) continue;
    if (!a.asked) return Credit::kRefused;
    asked = true;
  }
  return asked ? Credit::kAsked : Credit::kTaken;
}

void CreditPool::prefetch(const std::vector<OsdId>& members) {
  for (OsdId osd : members)
    if (accounts_[{osd, false}].have == 0) ask({osd, false}, kKeep, true);
}

Credit CreditPool::take(const std::vector<OsdId>& members, uint64_t bytes, bool reserve) {
  if (bytes == 0) return Credit::kTaken;
  if (const Credit seen = probe(members, bytes, reserve); seen != Credit::kTaken) return seen;
  for (OsdId osd : members) {
    const Key key{osd, reserve};
    Account& a = accounts_[key];
    a.have -= bytes;
    a.used = true;
    // The next loan is fetched before this one is spent.
    if (!reserve && a.have < a.last_grant / 2) ask(key, bytes, true);
  }
  return Credit::kTaken;
}

void CreditPool::replied(OsdId from, bool reserve, uint64_t asked, uint64_t granted) {
  const auto it = accounts_.find({from, reserve});
  if (it == accounts_.end()) {
    // Asked for before the connection was lost; the lender has forgotten it as well.
    return;
  }
  Account& a = it->second;
  a.asked = 0;
  a.have += granted;
  a.last_grant = granted;
  a.refused = granted || a.ahead ? 0 : asked;
  a.refused_at = clock_.now();
  hooks_.changed();
}

void CreditPool::recalled(OsdId by) {
  uint64_t bytes = 0;
  for (const bool reserve : {false, true}) {
    const auto it = accounts_.find({by, reserve});
    if (it == accounts_.end()) continue;
    bytes += std::exchange(it->second.have, 0);
    it->second.last_grant = 0;
  }
  // Also nothing is an answer: the lender waits for it.
  hooks_.give_back(by, bytes);
}

void CreditPool::trim() {
  for (auto& [key, a] : accounts_) {
    if (std::exchange(a.used, false) || a.have <= kKeep) continue;
    a.last_grant = 0;
    const uint64_t surplus = a.have - kKeep;
    a.have = kKeep;
    hooks_.give_back(key.first, surplus);
  }
}

void CreditPool::forget(OsdId osd) {
  accounts_.erase({osd, false});
  accounts_.erase({osd, true});
}

uint64_t CreditPool::unspent(OsdId osd) const {
  uint64_t bytes = 0;
  for (const bool reserve : {false, true})
    if (const auto it = accounts_.find({osd, reserve}); it != accounts_.end())
      bytes += it->second.have;
  return bytes;
}

}  // namespace plimsoll::osd
