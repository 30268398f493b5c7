// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mon/progress.h"

#include <fmt/format.h>

#include <algorithm>

namespace plimsoll::mon {

namespace {

int64_t whole_seconds(Duration d) {
  return std::chrono::duration_cast<std::chrono::seconds>(d).count();
}

/// As Ceph writes durations: 5s, 3m, 2h.
std::string duration_text(Duration d) {
  const int64_t s = whole_seconds(d);
  if (s < 120) return fmt::format("{}s", s);
  if (s < 7200) return fmt::format("{}m", s / 60);
  return fmt::format("{}h", s / 3600);
}

}  // namespace

std::optional<Duration> ProgressEvent::remaining() const {
  if (fraction <= 0) return {};
  return Duration(static_cast<int64_t>(static_cast<double>(elapsed().count()) *
                                       (1 - fraction) / fraction));
}

std::string ProgressEvent::text() const {
  constexpr size_t kWidth = 28;
  const auto done = std::min(kWidth, static_cast<size_t>(fraction * kWidth));
  std::string out = fmt::format("{} ({})\n      [{}{}]", title, duration_text(elapsed()),
                                std::string(done, '='), std::string(kWidth - done, '.'));
  if (const auto left = remaining(); left && fraction < 1)
    out += fmt::format(" (remaining: {})", duration_text(*left));
  return out;
}

void Progress::update(int64_t copies, TimePoint now) {
  now_ = now;
  if (copies > 0 && !most_) {
    began_ = now;
    count_++;
  }
  left_ = std::max<int64_t>(copies, 0);
  most_ = std::max(most_, left_);
  if (left_ || !most_) return;
  completed_.push_back(*current());
  if (completed_.size() > kCompleted) completed_.erase(completed_.begin());
  most_ = 0;
}

std::optional<ProgressEvent> Progress::current() const {
  if (!most_) return {};
  ProgressEvent e;
  e.id = fmt::format("recovery-{}", count_);
  e.title = "Global Recovery Event";
  e.began = began_;
  e.now = now_;
  e.fraction = 1 - static_cast<double>(left_) / static_cast<double>(most_);
  return e;
}

}  // namespace plimsoll::mon
