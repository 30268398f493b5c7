// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/daemon.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "common/command/version.h"
#include "common/daemon/background.h"
#include "common/daemon/generic_commands.h"
#include "common/rt/real/files.h"
#include "common/rt/real/heap.h"
#include "common/rt/real/real_runtime.h"

namespace plimsoll::daemon {

namespace {

constexpr const char* kDefaultConf = "/etc/ceph/ceph.conf";
constexpr Duration kHeapDecayInterval = 1s;

int complain(const Program& program, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(),
               (error.text().empty() ? error.to_string() : error.text()).c_str());
  return 1;
}

Result<> load_conf(config::Config& config, const config::Arguments& arguments) {
  const std::string path = arguments.conf.empty() ? kDefaultConf : arguments.conf;
  auto text = real::read_file(path);
  if (!text && text.error().code() == ENOENT && arguments.conf.empty()) text = std::string();
  if (!text) return text.error();
  TRY(file, config::ConfFile::parse(path, *text));
  TRY_VOID(config.apply_file(file));
  return config::apply_arguments(config, arguments);
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == path.npos || slash == 0 ? "" : path.substr(0, slash);
}

/// spdlog throws where it cannot open its file; that is an expected failure here.
Result<> open_log(const config::Config& config) {
  try {
    log::init_file(config.log_file(), config.log_to_stderr());
  } catch (const std::exception& e) {
    return fail(EIO, fmt::format("cannot open log file {}: {}", config.log_file(), e.what()));
  }
  return {};
}

/// debug_<subsystem> sets the level of the subsystem of that name.
void apply_debug_levels(const config::Config& config) {
  for (size_t s = 0; s < static_cast<size_t>(log::Subsystem::kCount); s++) {
    const auto text =
        config.get(fmt::format("debug_{}", log::subsystem_name(static_cast<log::Subsystem>(s))));
    if (text) log::debug_level[s] = std::atoi(text->c_str());
  }
}

std::vector<config::Opt> debug_options() {
  std::vector<config::Opt> out;
  for (const auto& o : config::options())
    if (o.type == config::Type::kDebug) out.push_back(o.id);
  return out;
}

/// One daemon process after fork: owns everything, in order of construction.
class Frame {
 public:
  Frame(const Program& program, config::Config& config, const config::Arguments& arguments,
        Background& background)
      : program_(program),
        config_(config),
        background_(background),
        log_(log::Subsystem::kNone, config.who().name()),
        runtime_({.shards = program.shards ? program.shards(config) : 1}),
        counters_(program.type),
        admin_(runtime_, Logger(log::Subsystem::kAsok, config.who().name())),
        env_{runtime_,  config_,
             counters_, admin_,
             arguments, [this](int code, std::string why) { exit(code, std::move(why)); }} {}

  int run(const Factory& make) {
    real::limit_thread_caches();
    config_.set_pid(runtime_.process_id());
    if (const auto opened = open_log(config_); !opened) return complain(program_, opened.error());
    apply_debug_levels(config_);
    auto debug = config_.observe(debug_options(), [this] { apply_debug_levels(config_); });
    add_generic_commands(admin_.table(), config_, counters_);
    runtime_.on_signal({SIGTERM, SIGINT}, [this](int signal) { on_signal(signal); });
    const auto prepared = prepare();
    if (!prepared) return complain(program_, prepared.error());
    daemon_ = make(env_);
    runtime_.run(life());
    daemon_.reset();
    if (!pid_file_.empty()) static_cast<void>(runtime_.remove_file(pid_file_));
    log_.info("ended with exit code {}", exit_code_);
    log::flush();
    return exit_code_;
  }

 private:
  /// Directories and the lock on the data: before anything of the daemon exists.
  Result<> prepare() {
    for (const auto& warning : config_.warnings()) log_.warn("{}", warning);
    if (program_.data_dir) {
      const std::string dir = program_.data_dir(config_);
      if (env_.arguments.has_flag("mkfs")) TRY_VOID(runtime_.make_dirs(dir));
      TRY(lock, runtime_.lock_dir(dir));
      lock_ = std::move(lock);
    }
    return {};
  }

  Task<void> life() {
    log_.info("{} {} starts, pid {}", kVersionText, config_.who().name(), runtime_.process_id());
    const auto once = co_await daemon_->run_once();
    if (!once) {
      report(once.error());
      co_return;
    }
    if (*once) co_return;
    const auto started = co_await start();
    if (started) {
      log_.info("up");
      background_.up(config_.log_to_stderr() ? "" : config_.log_file());
      started_ = true;
      decay_heap_later();
      co_await stop_.wait();
    } else {
      report(started.error());
    }
    // A daemon that does not come to an end must not hang its operator.
    Timer limit = runtime_.clock().call_after(runtime_.executor(), kStopTimeout, [this] {
      log_.error("did not stop within {} s",
                 std::chrono::duration_cast<std::chrono::seconds>(kStopTimeout).count());
      log::flush();
      exit_now(1);
    });
    // Commands under way use the daemon.
    co_await admin_.stop();
    co_await daemon_->stop();
  }

  Task<Result<>> start() {
    CO_TRY_VOID(runtime_.make_dirs(config_.run_dir()));
    // First, since it is refused where this daemon runs already, whose pid file must stay.
    if (const std::string path = config_.admin_socket(); !path.empty()) {
      if (const std::string dir = parent_of(path); !dir.empty())
        CO_TRY_VOID(runtime_.make_dirs(dir));
      CO_TRY_VOID(admin_.listen(path));
    }
    if (const std::string path = config_.pid_file(); !path.empty()) {
      CO_TRY_VOID(runtime_.write_file(path, fmt::format("{}\n", runtime_.process_id())));
      pid_file_ = path;
    }
    co_return co_await daemon_->start();
  }

  void decay_heap_later() {
    heap_timer_ = runtime_.clock().call_after(runtime_.executor(), kHeapDecayInterval, [this] {
      heap_decay_.tick();
      decay_heap_later();
    });
  }

  void report(const Error& error) {
    exit_code_ = 1;
    complain(program_, error);
    log_.error("cannot start: {}", error.text());
  }

  void exit(int code, std::string why) {
    if (code != 0) {
      log_.error("stops: {}", why);
      if (!started_) complain(program_, Error(EINVAL, why));
    }
    exit_code_ = code;
    stop_.set();
  }

  void on_signal(int signal) {
    if (stop_.is_set()) exit_now(1);
    log_.info("stops on signal {}", signal);
    stop_.set();
    // Before it is up there is nothing to wait for: start() may hang on what never comes.
    if (!started_) exit_now(1);
  }

  const Program& program_;
  config::Config& config_;
  Background& background_;
  Logger log_;
  real::RealRuntime runtime_;
  metrics::Counters counters_;
  command::AdminSocket admin_;
  Env env_;
  std::unique_ptr<DirLock> lock_;
  std::unique_ptr<Daemon> daemon_;
  Event stop_;
  real::HeapDecay heap_decay_;
  Timer heap_timer_;
  std::string pid_file_;
  bool started_ = false;
  int exit_code_ = 0;
};

}  // namespace

int run(int argc, char** argv, const Program& program, const Factory& make) {
  auto arguments =
      config::parse_arguments(std::vector<std::string>(argv + 1, argv + argc), program.flags);
  if (!arguments) return complain(program, fail(EINVAL, arguments.error().text() + "; see --help"));
  if (arguments->version) {
    std::printf("%s\n", kVersionText);
    return 0;
  }
  if (arguments->help) {
    std::fputs(config::usage(program.name, program.type, program.flags).c_str(), stdout);
    return 0;
  }
  if (!arguments->rest.empty())
    return complain(program, fail(EINVAL, fmt::format("unexpected argument '{}'; see --help",
                                                      arguments->rest[0])));
  if (arguments->id.empty()) arguments->id = program.default_id;
  if (arguments->id.empty())
    return complain(program, fail(EINVAL, "which daemon is this? Say -i <id>"));

  config::Config config({program.type, arguments->id, arguments->cluster, real::host_name()});
  if (const auto loaded = load_conf(config, *arguments); !loaded)
    return complain(program, loaded.error());

  ignore_sigpipe();
  Background background;
  if (!arguments->foreground && config.daemonize()) {
    if (const auto code = background.enter(program.name)) return *code;
  }
  Frame frame(program, config, *arguments, background);
  return frame.run(make);
}

}  // namespace plimsoll::daemon
