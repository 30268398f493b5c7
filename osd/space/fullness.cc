// SPDX-License-Identifier: LGPL-2.1-or-later
#include "osd/space/fullness.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/size_text.h"
#include "common/base/units.h"

namespace plimsoll::osd {

namespace {

uint64_t line_of(double ratio, uint64_t total) {
  return static_cast<uint64_t>(std::max(ratio, 0.0) * static_cast<double>(total));
}

double part(uint64_t used, uint64_t whole) {
  return whole ? static_cast<double>(used) / static_cast<double>(whole) : 0;
}

std::string explain_keys(const Fullness::Space& space, double ratio) {
  const uint64_t line = line_of(ratio, space.kv_limit);
  return fmt::format("has keys and values for {} of {}; free {} of them to clear",
                     bytes_text_up(space.kv_used), bytes_text_up(space.kv_limit),
                     bytes_text_up(space.kv_used - std::min(space.kv_used, line)));
}

std::string explain_host(const Fullness::Space& space) {
  std::string out = fmt::format("host file system full: {} free", bytes_text_up(space.host_free));
  if (space.ballast_whole)
    out += fmt::format(", {} of {} ballast left", bytes_text_up(space.ballast),
                       bytes_text_up(space.ballast_whole));
  const uint64_t wanted =
      Fullness::room_on_host(space.host_reserve) + space.ballast_whole - space.ballast;
  return out + fmt::format("; free {} there to clear",
                           bytes_text_up(wanted - std::min(wanted, space.host_free)));
}

bool is_short_of_host(const Fullness::Space& space, bool was) {
  const uint64_t wanted = was ? Fullness::room_on_host(space.host_reserve) : space.host_reserve;
  return space.ballast < space.ballast_whole || space.host_free < wanted;
}

}  // namespace

uint64_t Fullness::room_to_clear(uint64_t refused, uint64_t total) {
  return std::max(refused, std::min<uint64_t>(16_MiB, total / 100));
}

void Fullness::refused(uint64_t bytes, TimePoint now) {
  refusal_ = Refusal{std::max(bytes, refusal_ ? refusal_->bytes : 0), now};
}

void Fullness::inject(uint32_t state, bool failsafe, int64_t updates) {
  injected_.reset();
  if (updates && (state || failsafe)) injected_ = Injected{state, failsafe, updates};
}

std::string Fullness::explain(const Space& space, uint64_t line) const {
  const uint64_t taken = space.used + space.lent;
  const uint64_t have = line - std::min(line, taken);
  const uint64_t lacking = refusal_->bytes - std::min(refusal_->bytes, have);
  const uint64_t clear_at = line - std::min(line, room_to_clear(refusal_->bytes, space.total));
  return fmt::format("refused a {} write: {} short of the full line; free {} to clear",
                     bytes_text_up(refusal_->bytes), bytes_text_up(lacking),
                     bytes_text_up(taken - std::min(taken, clear_at)));
}

bool Fullness::update(const Space& space, const map::FullRatios& ratios, TimePoint now) {
  const uint64_t line = line_of(ratios.full, space.total);
  const uint64_t taken = space.used + space.lent;
  if (refusal_ && now - refusal_->last >= kStickyFor &&
      taken + room_to_clear(refusal_->bytes, space.total) <= line)
    refusal_.reset();

  const double blocks = part(space.used, space.total);
  const double keys = part(space.kv_used, space.kv_limit);
  const double used = std::max(blocks, keys);
  const bool was_short = host_short_;
  host_short_ = is_short_of_host(space, host_short_);
  const bool must_be_full = refusal_ || host_short_;
  uint32_t state = must_be_full ? uint32_t{map::kOsdFull} : map::fullness_of(ratios, used);
  // With the ballast gone even keys and values have no room.
  bool failsafe = used > ratios.failsafe || (host_short_ && space.ballast_whole && !space.ballast);
  std::string reason;
  if (host_short_) reason = explain_host(space);
  else if (refusal_) reason = explain(space, line);
  if (reason.empty() && keys > ratios.full) reason = explain_keys(space, ratios.full);
  if (injected_) {
    state = injected_->state;
    failsafe = injected_->failsafe;
    reason = "injected";
    if (injected_->updates > 0 && --injected_->updates == 0) injected_.reset();
  }
  // How much is short moves with every byte; that alone is no news.
  const bool cause_changed = reason.empty() != reason_.empty() || host_short_ != was_short;
  const bool news = state != state_ || failsafe != failsafe_ || cause_changed;
  state_ = state;
  failsafe_ = failsafe;
  reason_ = std::move(reason);
  return news;
}

}  // namespace plimsoll::osd
