// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/joining.h"

#include <algorithm>

namespace plimsoll::osd {

using State = JoinState;
using Action = JoinAction;

const char* join_state_name(JoinState state) {
  switch (state) {
    case State::kNone:
      return "None";
    case State::kAsk:
      return "Ask";
    case State::kReset:
      return "Reset";
    case State::kMerge:
      return "Merge";
    case State::kScan:
      return "Scan";
    case State::kCopy:
      return "Copy";
    case State::kLetIn:
      return "LetIn";
  }
  return "?";
}

std::string JoinAction::to_string() const {
  switch (kind) {
    case kQuery:
      return "query";
    case kReset:
      return "reset";
    case kMerge:
      return "merge after " + version.to_string();
    case kList:
      return "list after " + object.oid;
    case kPage:
      return "page of " + std::to_string(page.size()) + " up to " + object.oid;
    case kPush:
      return "push " + object.oid + " " + version.to_string() + (hold ? " held" : "");
    case kLetIn:
      return "let in";
  }
  return "?";
}

void Joining::stop() {
  newcomer_ = kNoOsd;
  state_ = State::kNone;
  scans_ = knows_all_ = false;
  scanned_ = {};
  listed_ = 0;
  missing_.clear();
  sent_.clear();
  overtaken_.clear();
  unreadable_.clear();
  deleting_.clear();
  recent_.clear();
}

JoinActions Joining::start(OsdId newcomer) {
  stop();
  newcomer_ = newcomer;
  state_ = State::kAsk;
  return {{Action::kQuery, {}, {}, {}}};
}

JoinActions Joining::merge(const PgInfo& info) {
  state_ = State::kMerge;
  recent_.clear();
  return {{Action::kMerge, info.last_update, {}, {}, false, false, info.known_from}};
}

JoinActions Joining::on_info(const PgInfo& info, const Missing& missing, const PgLog& log) {
  switch (state_) {
    case State::kAsk:
      scans_ = info.copying || info.last_update < log.tail();
      if (info.last_update >= log.tail()) {
        // Where a scan was interrupted, it goes on.
        scanned_ = info.copied;
        return merge(info);
      }
      state_ = State::kReset;
      return {{Action::kReset, {}, {}, {}}};
    case State::kReset:
      return merge(info);
    case State::kMerge:
      missing_ = missing;
      for (const auto& [object, version] : std::exchange(recent_, {})) {
        const auto it = missing_.find(object);
        if (it == missing_.end()) continue;
        if (version) it->second = *version;
        else deleting_.insert(missing_.extract(it).key());
      }
      state_ = State::kCopy;
      return pump();
    default:
      return {};
  }
}

JoinActions Joining::on_listed(const Missing& objects, const HObject& up_to, bool last) {
  if (state_ != State::kScan) return {};
  // What was written during the listing may be in it or not.
  Missing page = objects;
  for (const auto& [object, version] : std::exchange(recent_, {})) {
    if (!(scanned_ < object) || (!last && up_to < object)) continue;
    if (version) page[object] = *version;
    else page.erase(object);
  }
  // Those that the log named are on their way, or there.
  for (const auto& [object, version] : page) missing_.try_emplace(object, version);
  listed_ += static_cast<int64_t>(page.size());
  scanned_ = last ? HObject::max() : up_to;
  state_ = State::kCopy;
  JoinActions out{{Action::kPage, {}, scanned_, std::move(page), last}};
  JoinActions more = pump();
  std::move(more.begin(), more.end(), std::back_inserter(out));
  return out;
}

void Joining::wrote(const LogEntry& entry) {
  if (!follows()) return;
  const bool gone = entry.kind == LogEntry::kDelete;
  unreadable_.erase(entry.object);
  if (state_ == State::kMerge || state_ == State::kScan)
    recent_[entry.object] = gone ? std::nullopt : std::optional(entry.version);
  const auto it = missing_.find(entry.object);
  if (it == missing_.end()) return;
  // What is on its way is of no use any more; the newcomer knows.
  if (sent_.erase(entry.object)) overtaken_.insert(entry.object);
  if (gone) deleting_.insert(missing_.extract(it).key());
  else it->second = entry.version;
}

int64_t Joining::left(int64_t objects) const {
  const auto known = static_cast<int64_t>(missing_.size());
  const bool more = scans_ && !scanned_.is_max;
  return more ? std::clamp(objects - listed_ + known, known, std::max(objects, known)) : known;
}

JoinActions Joining::on_last_page_noted() {
  knows_all_ = state_ == State::kCopy && scanned_.is_max;
  return pump();
}

JoinActions Joining::on_pushed(const HObject& object, Eversion version) {
  const auto it = missing_.find(object);
  if (it == missing_.end() || it->second != version) return pump();
  missing_.erase(it);
  sent_.erase(object);
  overtaken_.erase(object);
  return pump();
}

JoinActions Joining::on_not_pushed(const HObject& object, bool busy) {
  if (sent_.erase(object) && !busy) unreadable_.insert(object);
  return pump();
}

JoinActions Joining::retry() {
  if (state_ == State::kAsk) return {{Action::kQuery, {}, {}, {}}};
  if (state_ == State::kLetIn) return {{Action::kLetIn, {}, {}, {}}};
  unreadable_.clear();
  return pump();
}

JoinActions Joining::pump() {
  JoinActions out;
  if (state_ != State::kCopy) return out;
  const size_t window = lacks() ? window_() : 0;
  if (lacks() && !window) return out;
  for (const auto& [object, version] : missing_) {
    if (sent_.size() >= window) return out;
    if (sent_.contains(object) || unreadable_.contains(object) || busy_(object)) continue;
    sent_[object] = version;
    out.push_back({Action::kPush, version, object, {}, false, overtaken_.contains(object)});
  }
  std::erase_if(deleting_, [this](const HObject& object) { return !busy_(object); });
  if (!missing_.empty() || !deleting_.empty()) return out;
  if (lacks()) {
    state_ = State::kScan;
    recent_.clear();
    out.push_back({Action::kList, {}, scanned_, {}});
  } else if (!scans_ || knows_all_) {
    state_ = State::kLetIn;
    out.push_back({Action::kLetIn, {}, {}, {}});
  }
  return out;
}

int join_priority(const Interval& interval, const map::OSDMap& map) {
  enum { kMove, kRelief, kDegraded, kInactive };
  if (!interval.down.empty() || interval.acting.size() < interval.min_size) return kInactive;
  if (interval.acting.size() < interval.size) return kDegraded;
  const std::vector<OsdId>& up = interval.up;
  const auto relieved = [&](OsdId osd) {
    const bool too_full =
        map.has_state(osd, map::kOsdFull) || map.has_state(osd, map::kOsdBackfillFull);
    return too_full && std::find(up.begin(), up.end(), osd) == up.end();
  };
  return std::any_of(interval.acting.begin(), interval.acting.end(), relieved) ? kRelief : kMove;
}

}  // namespace plimsoll::osd
