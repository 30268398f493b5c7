// SPDX-License-Identifier: LGPL-2.1-or-later
// plimsoll-idle: a daemon that does nothing, to test the frame and its admin socket with stock
// tools.
#include "common/daemon/daemon.h"

namespace plimsoll {

namespace {

class Idle : public daemon::Daemon {
 public:
  explicit Idle(daemon::Env& env) : env_(env) {}
  Task<Result<bool>> run_once() override { co_return env_.arguments.has_flag("mkfs"); }
  Task<Result<>> start() override {
    if (env_.arguments.has_flag("fail")) co_return fail(EIO, "told to fail");
    if (env_.arguments.has_flag("crash")) CHECK_NOTE(false, "told to crash");
    env_.admin.table().add(
        "crash", "fail a check",
        command::sync<command::Caller>([](command::Caller&, const command::Args&) {
          CHECK_NOTE(false, "crash on command");
          return command::CommandReply();
        }));
    env_.admin.table().add(
        "exit name=code,type=CephInt,range=0|255", "end with a code",
        command::sync<command::Caller>([this](command::Caller&, const command::Args& args) {
          env_.exit(static_cast<int>(args.integer("code")), "asked to");
          return command::CommandReply();
        }));
    co_return Result<>();
  }
  Task<void> stop() override { co_return; }

 private:
  daemon::Env& env_;
};

}  // namespace

}  // namespace plimsoll

int main(int argc, char** argv) {
  plimsoll::daemon::Program program{.type = "osd", .name = "plimsoll-idle"};
  program.flags = {{"mkfs", "", "make the data directory and end"},
                   {"fail", "", "fail to start"},
                   {"crash", "", "crash at start"}};
  program.data_dir = [](const plimsoll::config::Config& config) { return config.osd_data(); };
  return plimsoll::daemon::run<plimsoll::Idle>(argc, argv, program);
}
