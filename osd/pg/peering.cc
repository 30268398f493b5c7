// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/pg/peering.h"

#include <algorithm>
#include <tuple>

namespace plimsoll::osd {

using State = PeeringState;
using Action = PeeringAction;

namespace {

std::string osd_list(const std::vector<OsdId>& osds) {
  std::string text;
  for (OsdId osd : osds) text += (text.empty() ? "osd." : ", osd.") + std::to_string(osd);
  return text;
}

}  // namespace

bool Interval::has(OsdId osd) const {
  return std::find(acting.begin(), acting.end(), osd) != acting.end();
}

const char* peering_state_name(PeeringState state) {
  switch (state) {
    case State::kStray:
      return "Stray";
    case State::kReplica:
      return "Replica";
    case State::kGetInfo:
      return "GetInfo";
    case State::kGetLog:
      return "GetLog";
    case State::kMergePeers:
      return "MergePeers";
    case State::kIncomplete:
      return "Incomplete";
    case State::kRecover:
      return "Recover";
    case State::kUnfound:
      return "Unfound";
    case State::kActivate:
      return "Activate";
    case State::kPeered:
      return "Peered";
    case State::kActive:
      return "Active";
  }
  return "?";
}

std::string PeeringAction::to_string() const {
  const std::string to = " osd." + std::to_string(osd);
  switch (kind) {
    case kQuery:
      return "query" + to;
    case kGetLog:
      return "get_log" + to + " after " + version.to_string();
    case kMergePeer:
      return "merge_peer" + to + " after " + version.to_string();
    case kPull:
      return "pull" + to + " " + object.oid + " " + version.to_string();
    case kPush:
      return "push" + to + " " + object.oid + " " + version.to_string();
    case kActivate:
      return "activate" + to;
    case kServe:
      return "serve";
    case kRest:
      return "rest";
  }
  return "?";
}

PeeringActions Peering::start(const Interval& interval, OsdId self, const PgInfo& own,
                              const Missing& missing) {
  *this = Peering();
  interval_ = interval;
  self_ = self;
  PeeringActions out;
  if (!interval_.has(self))
    state_ = State::kStray;
  else if (!is_primary())
    state_ = State::kReplica;
  else {
    state_ = State::kGetInfo;
    infos_[self] = own;
    missing_[self] = missing;
    answered_.insert(self);
    out = resend();
    if (all_of(answered_)) choose(out);
  }
  return out;
}

PeeringActions Peering::on_info(OsdId from, const PgInfo& info, const Missing& missing,
                                bool merged) {
  PeeringActions out;
  if (state_ != (merged ? State::kMergePeers : State::kGetInfo) || !interval_.has(from)) return out;
  if (merged && info.last_update != infos_[self_].last_update) return out;
  infos_[from] = info;
  missing_[from] = missing;
  answered_.insert(from);
  if (!all_of(answered_)) return out;
  if (merged)
    recover(out);
  else
    choose(out);
  return out;
}

// The copy that took part in the newest activation knows everything that was acknowledged; among
// those the longest log, since every write was acknowledged by all only after all had it.
void Peering::choose(PeeringActions& out) {
  const auto rank = [this](OsdId osd) {
    const PgInfo& i = infos_.at(osd);
    return std::tuple(i.last_epoch_started, i.last_update, osd == self_);
  };
  best_ = *std::max_element(interval_.acting.begin(), interval_.acting.end(),
                            [&](OsdId a, OsdId b) { return rank(a) < rank(b); });
  const PgInfo& best = infos_.at(best_);
  for (OsdId osd : interval_.acting) {
    if (infos_.at(osd).last_update >= best.log_tail) continue;
    state_ = State::kIncomplete;
    problem_ = "osd." + std::to_string(osd) + " is at " + infos_.at(osd).last_update.to_string() +
               ", behind the log of osd." + std::to_string(best_) + ", which begins at " +
               best.log_tail.to_string();
    return;
  }
  if (infos_.at(self_).last_update == best.last_update) return merge_peers(out);
  state_ = State::kGetLog;
  out.push_back({Action::kGetLog, best_, infos_.at(self_).last_update, {}});
}

PeeringActions Peering::on_log_merged(const PgInfo& own, const Missing& missing) {
  PeeringActions out;
  if (state_ != State::kGetLog) return out;
  infos_[self_] = own;
  missing_[self_] = missing;
  merge_peers(out);
  return out;
}

PeeringActions Peering::on_log_failed(std::string why) {
  if (state_ == State::kGetLog) {
    state_ = State::kIncomplete;
    problem_ = std::move(why);
  }
  return {};
}

void Peering::merge_peers(PeeringActions& out) {
  state_ = State::kMergePeers;
  answered_.clear();
  for (OsdId osd : interval_.acting) {
    if (infos_.at(osd).last_update == infos_.at(self_).last_update)
      answered_.insert(osd);
    else
      out.push_back({Action::kMergePeer, osd, infos_.at(osd).last_update, {}});
  }
  if (all_of(answered_)) recover(out);
}

std::optional<OsdId> Peering::source_of(const HObject& object) const {
  for (OsdId osd : interval_.acting) {
    if (missing_.at(osd).contains(object) || failed_.contains({osd, object})) continue;
    return osd;
  }
  // Somebody who is not a member yet may have it.
  for (OsdId osd : interval_.up)
    if (!interval_.has(osd) && !failed_.contains({osd, object})) return osd;
  return std::nullopt;
}

void Peering::start_transfer(OsdId osd, const HObject& object, Eversion version,
                             PeeringActions& out) {
  const auto source = osd == self_ ? source_of(object) : std::optional(self_);
  if (!source || failed_.contains({*source, object})) {
    state_ = State::kUnfound;
    problem_ = object.oid + " is needed at " + version.to_string() + " and is nowhere";
    if (!interval_.down.empty()) problem_ += "; down: " + osd_list(interval_.down);
    return;
  }
  transfers_[{osd, object}] = *source;
  if (osd == self_)
    out.push_back({Action::kPull, *source, version, object});
  else
    out.push_back({Action::kPush, osd, version, object});
}

void Peering::recover(PeeringActions& out) {
  state_ = State::kRecover;
  // First our own: others are pushed from here.
  for (OsdId osd : interval_.acting) {
    const bool ours = osd == self_;
    if (!ours && !missing_[self_].empty()) continue;
    for (const auto& [object, version] : missing_[osd]) {
      if (transfers_.size() >= kRecoveryWindow) return;
      if (!transfers_.contains({osd, object})) start_transfer(osd, object, version, out);
    }
  }
  if (state_ == State::kRecover && missing_total() == 0) activate(out);
}

PeeringActions Peering::on_recovered(OsdId osd, const HObject& object) {
  PeeringActions out;
  if (!transfers_.erase({osd, object})) return out;
  missing_[osd].erase(object);
  recover(out);
  return out;
}

PeeringActions Peering::on_source_failed(OsdId source, const HObject& object) {
  PeeringActions out;
  const auto gone = std::erase_if(
      transfers_, [&](const auto& t) { return t.second == source && t.first.object == object; });
  if (!gone) return out;
  failed_.insert({source, object});
  recover(out);
  return out;
}

void Peering::activate(PeeringActions& out) {
  state_ = State::kActivate;
  answered_.clear();
  for (OsdId osd : interval_.acting) out.push_back({Action::kActivate, osd, {}, {}});
}

PeeringActions Peering::on_activated(OsdId osd) {
  PeeringActions out;
  if (state_ != State::kActivate || !interval_.has(osd)) return out;
  answered_.insert(osd);
  infos_[osd].last_epoch_started = interval_.since;
  if (!all_of(answered_)) return out;
  state_ = may_serve() ? State::kActive : State::kPeered;
  out.push_back({active() ? Action::kServe : Action::kRest, kNoOsd, {}, {}});
  return out;
}

bool Peering::may_serve() const {
  return interval_.down.empty() && interval_.acting.size() >= interval_.min_size;
}

PeeringActions Peering::resend(OsdId osd) {
  PeeringActions out;
  const auto wanted = [&](OsdId o) { return o != self_ && (osd == kNoOsd || osd == o); };
  for (OsdId o : interval_.acting) {
    if (!wanted(o) || answered_.contains(o)) continue;
    if (state_ == State::kGetInfo) out.push_back({Action::kQuery, o, {}, {}});
    if (state_ == State::kMergePeers)
      out.push_back({Action::kMergePeer, o, infos_.at(o).last_update, {}});
    if (state_ == State::kActivate) out.push_back({Action::kActivate, o, {}, {}});
  }
  if (state_ == State::kGetLog && wanted(best_))
    out.push_back({Action::kGetLog, best_, infos_.at(self_).last_update, {}});
  if (osd == kNoOsd) return out;
  for (const auto& [t, source] : transfers_) {
    const Eversion version = missing_.at(t.to).at(t.object);
    if (t.to == self_ && source == osd) out.push_back({Action::kPull, osd, version, t.object});
    if (t.to == osd) out.push_back({Action::kPush, osd, version, t.object});
  }
  return out;
}

size_t Peering::missing_total() const {
  size_t n = 0;
  for (const auto& [osd, missing] : missing_) n += missing.size();
  return n;
}

std::vector<OsdId> Peering::blocked_by() const {
  std::vector<OsdId> out;
  switch (state_) {
    case State::kStray:
    case State::kPeered:
    case State::kUnfound:
      return interval_.down;
    case State::kGetLog:
      return {best_};
    case State::kGetInfo:
    case State::kMergePeers:
    case State::kActivate:
      for (OsdId osd : interval_.acting)
        if (!answered_.contains(osd) && osd != self_) out.push_back(osd);
      return out;
    default:
      return out;
  }
}

std::string Peering::why() const {
  switch (state_) {
    case State::kActive:
      return "";
    case State::kStray:
      if (interval_.lost) return "every store that held it is gone";
      if (!interval_.down.empty()) return "down: " + osd_list(interval_.down);
      return "this OSD is not a member";
    case State::kReplica:
      return "osd." + std::to_string(interval_.primary) + " leads";
    case State::kPeered: {
      const std::string few = std::to_string(interval_.acting.size()) + " up, min_size is " +
                              std::to_string(interval_.min_size);
      return interval_.down.empty() ? few : few + "; down: " + osd_list(interval_.down);
    }
    case State::kGetInfo:
    case State::kGetLog:
    case State::kMergePeers:
      return "waiting for " + osd_list(blocked_by());
    case State::kActivate:
      return blocked_by().empty() ? "activating"
                                  : "activating; waiting for " + osd_list(blocked_by());
    case State::kRecover:
      return "recovering " + std::to_string(missing_total()) + " objects";
    case State::kIncomplete:
    case State::kUnfound:
      return problem_;
  }
  return "";
}

}  // namespace plimsoll::osd
