// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs qa/transcripts/commands/*.txt: the monitor's services on a simulated host, without network.
//
//   $ osd pool create data 8        a command as `ceph` would send it; "$ -f json ..." for JSON
//   % boot 0 host=a size=1G         an OSD boots; also: % report 0, % down 0, % wait 30, % restart
//
// The lines that follow are what came back: "Error ENOENT" for a failure, "! text" for the status
// text, and the data, with <time> for times. With --rewrite the files get the outputs of today;
// review the diff.
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <regex>
#include <sstream>

#include "common/config/option.h"
#include "mon/commands/commands.h"
#include "mon/consensus/single_log.h"
#include "mon/mkfs.h"
#include "mon/sessions.h"
#include "qa/sim/world.h"
#include "qa/transcripts/harness.h"

namespace plimsoll::mon {
namespace {

using Words = std::vector<std::string>;

Words split(const std::string& line) {
  std::istringstream in(line);
  Words words;
  for (std::string w; in >> w;) words.push_back(w);
  return words;
}

/// What follows "key=" in one of the words.
std::string named(const Words& words, const std::string& key, const std::string& fallback) {
  for (const std::string& w : words)
    if (w.compare(0, key.size() + 1, key + "=") == 0) return w.substr(key.size() + 1);
  return fallback;
}

/// Times depend on how long the simulated store takes, which is not what transcripts are about.
std::string without_times(const std::string& text) {
  static const std::regex time("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}\\+0000");
  return std::regex_replace(text, time, "<time>");
}

/// One monitor without network.
class Cluster {
 public:
  Cluster() : config_({"mon", "a", "ceph", "host"}), host_(world_.add_host("host")) {
    must(config_.set("fsid", "00000000-0000-4000-8000-000000000001", config::Source::kFile));
    must(config_.set("mon_host", "127.0.0.1:3300", config::Source::kFile));
    must(config_.set("mon_data", "/mon", config::Source::kFile));
    add_commands(table_);
    host_.boot();
    run(create());
    run(open());
  }
  ~Cluster() { run(close()); }

  std::string command(const Words& words) {
    std::string out;
    run(run_command(words, out));
    return without_times(out);
  }
  std::string event(const Words& words) {
    std::string out = "ok\n";
    if (words[0] == "wait") {
      const Duration d = std::chrono::seconds(std::stoi(words.at(1)));
      run(pass_time(d));
    } else if (words[0] == "restart") {
      run(close());
      run(open());
    } else {
      run(osd_event(words, out));
    }
    return out;
  }

 private:
  static void must(const Result<>& r) {
    CHECK_NOTE(r.has_value(), r ? "" : r.error().to_string().c_str());
  }
  void run(Task<void> task) { world_.run(host_, std::move(task)); }

  Task<void> create() { must(co_await mkfs(host_.runtime(), config_)); }

  Task<void> open() {
    auto kv = co_await host_.runtime().open_kv("/mon/store.db", store_options(false));
    CHECK(kv.has_value());
    kv_ = std::move(*kv);
    log_ = std::make_unique<SingleLog>(host_.runtime().executor(), *kv_);
    must(co_await log_->start());
    services_ = std::make_unique<Services>(host_.runtime(), config_, *log_);
    must(co_await services_->load());
    services_->settings.on_change = [this] {
      std::map<std::string, std::string> values;
      for (const auto& [name, e] : services_->settings.effective("mon.a")) values[name] = e.value;
      config_.apply_mon(values);
    };
    services_->settings.on_change();
    sessions_ = std::make_unique<Sessions>(*services_);
  }

  Task<void> close() {
    sessions_.reset();
    co_await services_->stop();
    co_await log_->stop();
    co_await kv_->close();
    services_.reset();
    log_.reset();
    kv_.reset();
  }

  Task<void> pass_time(Duration d) {
    for (; d > 0s; d -= 1s) {
      co_await host_.runtime().clock().sleep(1s);
      co_await services_->tick();
    }
  }

  Task<void> run_command(Words words, std::string& out) {
    auto format = command::Format::kPlain;
    if (words.size() > 1 && words[0] == "-f") {
      format = *command::parse_format(words[1]);
      words.erase(words.begin(), words.begin() + 2);
    }
    Result<command::Request> request = command::request_from_words(table_.specs(), words);
    command::CommandReply reply(-EINVAL, request ? "" : request.error().text());
    if (request) {
      request->format = format;
      CommandContext context{*services_, *sessions_, table_, "client.admin", EntityAddr{}};
      reply = co_await table_.run(context, std::move(*request), Bytes());
    }
    if (reply.rc) out += "Error " + errno_name(-reply.rc) + "\n";
    if (!reply.outs.empty()) out += "! " + reply.outs + "\n";
    out += reply.out.to_string();
    if (!out.empty() && out.back() != '\n') out += "\n";
  }

  static EntityAddr addr_of(OsdId osd, uint32_t nonce) {
    EntityAddr a = *EntityAddr::parse(fmt::format("v2:127.0.0.1:{}/{}", 6800 + osd, nonce));
    return a;
  }

  Task<void> osd_event(Words words, std::string& out) {
    const OsdId osd = std::stoi(words.at(1));
    Result<Epoch> done = 0;
    if (words[0] == "boot") {
      msg::MOsdBoot boot;
      boot.fsid = services_->monmap.fsid;
      boot.osd = osd;
      boot.osd_uuid.bytes[0] = static_cast<uint8_t>(osd + 1);
      boot.addr = addr_of(osd, static_cast<uint32_t>(std::stoi(named(words, "nonce", "1"))));
      boot.total_bytes = *config::parse_size(named(words, "size", "1G"));
      boot.host = named(words, "host", "a");
      boot.device_class = named(words, "class", "ssd");
      services_->membership.session_opened(osd, boot.addr);
      boot.metadata = {
          {"hostname", boot.host}, {"osd_objectstore", "block"}, {"crush_location", ""}};
      done = co_await services_->membership.boot(std::move(boot));
    } else if (words[0] == "lost") {
      services_->membership.session_lost(osd, services_->osd.map().client_addrs[osd].msgr2());
    } else if (words[0] == "session") {
      services_->membership.session_opened(osd, services_->osd.map().client_addrs[osd].msgr2());
    } else if (words[0] == "report") {
      report(osd, words);
    } else {
      out = "unknown event\n";
      co_return;
    }
    out = done ? "ok\n" : done.error().to_string() + "\n";
  }

  /// A report of an OSD with all PGs that it leads active and clean.
  void report(OsdId osd, const Words& words) {
    msg::MOsdStats m;
    const map::OSDMap& map = services_->osd.map();
    m.osd = osd;
    m.epoch = map.epoch;
    m.stat.statfs.total = *config::parse_size(named(words, "size", "1G"));
    const uint64_t used = *config::parse_size(named(words, "used", "100M"));
    m.stat.statfs.available = m.stat.statfs.total - used;
    m.stat.statfs.allocated = static_cast<int64_t>(used);
    for (const PgId pg : map.all_pgs()) {
      const map::PgMapping where = map.map_pg(pg);
      if (where.acting_primary != osd) continue;
      map::PgStat s;
      s.pgid = pg;
      s.reported_epoch = map.epoch;
      s.reported_seq = ++seq_;
      s.state = map::kPgActive | map::kPgClean;
      if (where.acting.size() < map.pool(pg.pool)->size)
        s.state = map::kPgActive | map::kPgUndersized;
      s.up = where.up;
      s.acting = where.acting;
      s.up_primary = where.up_primary;
      s.acting_primary = where.acting_primary;
      s.last_active = s.last_clean = s.last_fullsized = s.last_unstale = s.last_peered =
          host_.runtime().clock().wall();
      s.stats.num_objects = std::stoi(named(words, "objects", "0"));
      s.stats.num_object_copies = s.stats.num_objects * map.pool(pg.pool)->size;
      s.stats.num_bytes = s.stats.num_objects * 4096;
      m.pgs.push_back(std::move(s));
    }
    must(services_->stats.report(map, std::move(m)));
    services_->health.refresh();
  }

  sim::World world_{1};
  config::Config config_;
  sim::Host& host_;
  CommandTable table_;
  uint64_t seq_ = 0;
  std::unique_ptr<Kv> kv_;
  std::unique_ptr<SingleLog> log_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Sessions> sessions_;
};

std::string replay(std::istream& in) {
  Cluster cluster;
  std::string out;
  bool in_output = false;
  for (std::string line; std::getline(in, line);) {
    const bool is_request = line.compare(0, 2, "$ ") == 0 || line.compare(0, 2, "% ") == 0;
    if (!is_request) {
      // Comments and blank lines that stand before a request are kept, outputs are made anew.
      const bool is_comment = line.empty() || line[0] == '#';
      if (is_comment && (!in_output || line[0] == '#')) in_output = false, out += line + "\n";
      continue;
    }
    out += line + "\n";
    const Words words = split(line.substr(2));
    out += line[0] == '$' ? cluster.command(words) : cluster.event(words);
    in_output = true;
  }
  return out;
}

}  // namespace
}  // namespace plimsoll::mon

int main(int argc, char** argv) {
  using namespace plimsoll;
  return transcripts::run_all("qa/transcripts/commands", mon::replay, argc, argv);
}
