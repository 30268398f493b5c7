// SPDX-License-Identifier: LGPL-2.1-or-later
// HealthService: the checks in force, which of them are muted, and a line in the cluster log when
// one comes, changes or goes. Mutes are kept in the consensus state.
#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>

#include "common/config/config.h"
#include "common/rt/runtime.h"
#include "mon/consensus/consensus.h"
#include "mon/health_checks.h"
#include "mon/log_service.h"
#include "mon/osd_membership.h"
#include "mon/osd_service.h"
#include "mon/stats_service.h"

namespace plimsoll::mon {

class HealthService {
 public:
  /// A muted check; it ends when the check goes, unless sticky, or when it gets worse.
  struct Mute {
    Utime until;  ///< zero: no end
    bool sticky = false;
    std::string summary;
    int64_t count = 0;
    template <class F>
    void fields(F& f) {
      f("until", until);
      f("sticky", sticky);
      f("summary", summary);
      f("count", count);
    }
  };

  HealthService(Runtime& runtime, const config::Config& config, Consensus& consensus,
                const OsdService& osd, const StatsService& stats,
                const OsdMembership& membership, LogService& log);
  Task<Result<>> load();

  /// Computes anew and logs what is different.
  void refresh();
  /// Periodic: refresh, and end mutes whose time is up.
  Task<void> tick();

  const HealthChecks& checks() const { return checks_; }
  const std::map<std::string, Mute>& mutes() const { return mutes_; }
  bool is_muted(const std::string& code) const { return mutes_.count(code) != 0; }
  /// The worst of the checks that are not muted.
  Severity status() const;
  /// EINVAL: no such code, and not sticky.
  Task<Result<>> mute(std::string code, std::optional<double> seconds, bool sticky);
  /// Empty `code`: all.
  Task<Result<>> unmute(std::string code);

  /// {"status":..,"checks":{..},"mutes":[..]}
  boost::json::object dump(bool detail) const;
  /// `health` and `health detail`.
  std::string text(bool detail) const;
  /// "noout flag(s) set; 1 osds down (muted: ..)": what follows the status word.
  std::string mutes_text() const;

 private:
  HealthOptions options() const;
  void log_changes(const HealthChecks& before);
  Task<Result<>> save_mutes(std::map<std::string, Mute> mutes);

  Runtime& runtime_;
  const config::Config& config_;
  Consensus& consensus_;
  const OsdService& osd_;
  const StatsService& stats_;
  const OsdMembership& membership_;
  LogService& log_;
  HealthChecks checks_;
  std::map<std::string, Mute> mutes_;
};

}  // namespace plimsoll::mon
