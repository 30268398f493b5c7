// SPDX-License-Identifier: LGPL-2.1-or-later
#include "qa/sim/sim_daemon.h"

namespace plimsoll::sim {

SimDaemon::SimDaemon(Runtime& runtime, config::Identity who, const std::string& conf,
                     const daemon::Factory& make, std::vector<std::string> flags)
    : config_(who),
      counters_(who.type),
      admin_(runtime, Logger(log::Subsystem::kAsok, who.name())),
      env_{runtime, config_, counters_, admin_, arguments_, [this](int code, std::string why) {
             failure_ = "exit " + std::to_string(code) + ": " + why;
           }} {
  auto file = config::ConfFile::parse("ceph.conf", conf);
  CHECK_NOTE(file.has_value(), file ? "" : file.error().to_string().c_str());
  auto applied = config_.apply_file(*file);
  CHECK_NOTE(applied.has_value(), applied ? "" : applied.error().to_string().c_str());
  arguments_.id = who.id;
  for (auto& f : flags) arguments_.flags.emplace_back(std::move(f), "");
  daemon_ = make(env_);
}

Task<void> SimDaemon::start() {
  auto started = co_await daemon_->start();
  if (started) up_ = true;
  else failure_ = "start: " + started.error().to_string();
}

Task<void> SimDaemon::stop() {
  co_await daemon_->stop();
  co_await admin_.stop();
  up_ = false;
}

}  // namespace plimsoll::sim
